// A TCP connection on one loop. Private to net/: others hold it as Stream.
//
// An idle one costs this object and a uv_tcp_t, some 350 bytes: what it reads goes through the
// loop's buffer, and what try_write hands to the kernel is not kept.
#pragma once

#include <uv.h>

#include "net/event_loop.h"
#include "net/stream.h"
#include "net/uv_handle.h"

namespace revcache::net {

class TcpStream final : public Stream {
 public:
  // More pieces than this in one try_write are left for the next.
  static constexpr std::size_t kTryWritePiecesMax = 16;

  // `handle` is connected. `blame`: whose fault a broken connection is, by the side of the proxy
  // that the peer is on. `loop` must outlive the stream.
  TcpStream(EventLoop& loop, UvHandle<uv_tcp_t> handle, Blame blame);
  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;
  ~TcpStream() override;

  // Takes over a connected, non-blocking socket and closes it on failure too.
  static Result<std::unique_ptr<TcpStream>> adopt(EventLoop& loop, int socket, Blame blame);

  void start_reading(StreamReader& reader) override;
  void stop_reading() override;
  std::size_t try_write(std::span<const std::string_view> pieces) override;
  void write(std::vector<SharedBytes> pieces, Callback<Result<void>> done) override;
  void shutdown_write() override;
  [[nodiscard]] SocketAddress peer_address() const override;
  [[nodiscard]] SocketAddress local_address() const override;

  // What accept() said, so that nobody has to ask the kernel again.
  void set_peer_address(const SocketAddress& peer) { peer_ = peer; }

  // If the stream of `handle` still exists and is being read, reads once what is there already,
  // without waiting for the loop to say so. The stream may be gone afterwards.
  static void read_now(uv_tcp_t* handle);

  [[nodiscard]] uv_tcp_t* handle() const noexcept { return handle_.get(); }

 private:
  struct PendingWrite;

  static void on_uv_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept;
  static void on_uv_write(uv_write_t* request, int status) noexcept;
  void deliver(ssize_t count, const char* data);
  void fail_later(std::unique_ptr<PendingWrite> failed, int status);
  [[nodiscard]] int socket() const noexcept;

  EventLoop& loop_;
  UvHandle<uv_tcp_t> handle_;
  StreamReader* reader_ = nullptr;         // null: not reading
  PendingWrite* first_pending_ = nullptr;  // list of those whose callback has not run
  mutable SocketAddress peer_;             // port 0: not asked for yet
  Blame blame_;
  bool read_finished_ = false;  // end or error was reported
};

}  // namespace revcache::net
