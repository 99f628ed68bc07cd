// A TCP connection on one loop. Private to net/: others hold it as Stream.
//
// An idle one costs this object and a uv_tcp_t, some 350 bytes: what it reads goes through the
// loop's buffer, and what try_write hands to the kernel is not kept.
//
// libuv hears of an adopted socket only when something has to wait for it. A connection whose
// request is there already and whose reply fits into the socket's buffer comes and goes without.
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

  // Takes over a connected, non-blocking socket that no other handle of the loop has.
  static std::unique_ptr<TcpStream> adopt(EventLoop& loop, int socket, Blame blame);

  void start_reading(StreamReader& reader) override;
  void stop_reading() override;
  std::size_t try_write(std::span<const std::string_view> pieces) override;
  void write(std::vector<SharedBytes> pieces, Callback<Result<void>> done) override;
  void shutdown_write() override;
  [[nodiscard]] SocketAddress peer_address() const override;
  [[nodiscard]] SocketAddress local_address() const override;

  // What accept() said, so that nobody has to ask the kernel again.
  void set_peer_address(const SocketAddress& peer) { peer_ = peer; }

  // Lives on the stack of whoever hands a new stream over to somebody who may destroy it at once,
  // at most one for a stream. While it exists, start_reading() of an adopted stream does not wait
  // for the loop to say that there is something to read.
  class FirstRead {
   public:
    explicit FirstRead(TcpStream& stream) : stream_(&stream) { stream.first_read_ = this; }
    FirstRead(const FirstRead&) = delete;
    FirstRead& operator=(const FirstRead&) = delete;
    // Reading, if it is wanted, goes on as usual.
    ~FirstRead();

    // If the stream still exists and is being read, gives its reader what is there already. The
    // stream may be gone afterwards.
    void read();

   private:
    friend class TcpStream;
    TcpStream* stream_;  // null: gone
  };

  // The caller's to look at and to set options of; stays the stream's.
  [[nodiscard]] int socket() const noexcept { return socket_; }

 private:
  struct PendingWrite;

  TcpStream(EventLoop& loop, int socket, Blame blame)
      : loop_(loop), socket_(socket), blame_(blame) {}

  static void on_uv_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept;
  static void on_uv_write(uv_write_t* request, int status) noexcept;
  static void give_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) noexcept;
  void deliver(ssize_t count, const char* data);
  // libuv is done with it. Tells who wrote, in this round or a later one.
  static void finish(EventLoop& loop, std::unique_ptr<PendingWrite> written, int status);
  // libuv did not take it.
  void fail_later(std::unique_ptr<PendingWrite> failed, int status);
  // Makes libuv watch the socket.
  uv_stream_t* watched();
  void read_when_ready();

  EventLoop& loop_;
  UvHandle<uv_tcp_t> handle_;              // null: libuv does not know the socket
  int socket_;                             // closed by the handle, if there is one
  StreamReader* reader_ = nullptr;         // null: not reading
  FirstRead* first_read_ = nullptr;        // null: none
  PendingWrite* first_pending_ = nullptr;  // list of those whose callback has not run
  mutable SocketAddress peer_;             // port 0: not asked for yet
  Blame blame_;
  bool read_finished_ = false;  // end or error was reported
  bool filled_buffer_ = false;  // in this round: there is more, as a rule
};

}  // namespace revcache::net
