// A stream some of whose bytes were read already by whoever opened it.
#pragma once

#include <memory>
#include <string>

#include "net/stream.h"
#include "net/timers.h"

namespace revcache::proxy {

// Delivers `prefix`, then what `inner` reads: the bytes that a parent proxy sent together with
// its answer to CONNECT belong to the tunnel. `timers` must outlive the stream.
std::unique_ptr<net::Stream> with_prefix(std::unique_ptr<net::Stream> inner, std::string prefix,
                                         net::Timers& timers);

}  // namespace revcache::proxy
