// A connected byte stream: TCP, TLS over it, or simulated. Owned by one party on one loop; all
// calls and callbacks on that loop's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/callback.h"
#include "base/ip_address.h"
#include "base/result.h"

namespace revcache::net {

// Receives what a stream reads. From inside any of these calls the receiver may stop reading,
// write, or destroy the stream.
class StreamReader {
 public:
  // `chunk` is in a buffer of the loop: valid for the length of the call only.
  virtual void on_read(std::string_view chunk) = 0;
  // The peer has finished sending (FIN, close_notify). Nothing is read after it.
  virtual void on_read_end() = 0;
  // The connection is broken (reset, TLS failure). Nothing is read after it; writes will fail.
  virtual void on_read_error(Error error) = 0;

 protected:
  ~StreamReader() = default;
};

class Stream {
 public:
  // Closes at once; what try_write took is still sent by the kernel, what write() holds is not.
  // Pending write callbacks are destroyed unrun; no call reaches the reader any more.
  virtual ~Stream() = default;

  // `reader` must outlive the stream or the next stop_reading(). Idempotent.
  virtual void start_reading(StreamReader& reader) = 0;
  // Back-pressure: nothing is read until start_reading.
  virtual void stop_reading() = 0;

  // Hands as many bytes as the socket takes right now; gives their number (0 while a write() is
  // pending, or when the socket's buffer is full). One system call at most. An error is reported
  // as 0 here and by the next write() or read.
  virtual std::size_t try_write(std::span<const std::string_view> pieces) = 0;

  // Queues the pieces, holding their owners until sent; then `done`. Calls keep their order.
  // The caller bounds what it queues by waiting for `done`.
  virtual void write(std::vector<SharedBytes> pieces, Callback<Result<void>> done) = 0;

  // Sends FIN (close_notify first, for TLS) after the pending writes; reading goes on.
  virtual void shutdown_write() = 0;

  [[nodiscard]] virtual SocketAddress peer_address() const = 0;
  [[nodiscard]] virtual SocketAddress local_address() const = 0;
};

}  // namespace revcache::net
