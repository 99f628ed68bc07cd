// A TLS handshake with a deadline. Private to net/.
#pragma once

#include <chrono>
#include <memory>

#include "net/pending_operations.h"
#include "net/timers.h"
#include "net/tls_stream.h"
#include "net/transport.h"

namespace revcache::net {

// Gives `done` the stream, or why there is none; destroys it unrun when `pending` goes before.
// Loop thread only; `timers` and the stream's executor outlive `pending`.
void run_tls_handshake(Timers& timers, PendingOperations& pending,
                       std::unique_ptr<TlsStream> stream, std::chrono::milliseconds timeout,
                       ConnectDone done);

}  // namespace revcache::net
