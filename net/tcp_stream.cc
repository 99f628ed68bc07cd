#include "net/tcp_stream.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "net/socket_address.h"

namespace revcache::net {

// Lives until libuv has called back (or the posted failure has run), also when the stream is gone.
struct TcpStream::PendingWrite {
  uv_write_t request{};
  std::vector<SharedBytes> pieces;
  Callback<Result<void>> done;
  TcpStream* stream = nullptr;  // null: gone
  PendingWrite* previous = nullptr;
  PendingWrite* next = nullptr;

  void link(TcpStream& owner) {
    stream = &owner;
    next = owner.first_pending_;
    if (next != nullptr) next->previous = this;
    owner.first_pending_ = this;
  }

  void unlink() {
    (previous != nullptr ? previous->next : stream->first_pending_) = next;
    if (next != nullptr) next->previous = previous;
    stream = nullptr;
    previous = next = nullptr;
  }

  // Ends the write, if there is still a stream to tell it to.
  void finish(int status) {
    if (stream == nullptr) return;
    const Blame blame = stream->blame_;
    unlink();
    auto callback = std::move(done);
    if (status == 0) {
      callback(Result<void>{});
    } else {
      callback(std::unexpected(broken_connection(status, blame, "write")));
    }
  }
};

TcpStream::TcpStream(EventLoop& loop, UvHandle<uv_tcp_t> handle, Blame blame)
    : loop_(loop), handle_(std::move(handle)), blame_(blame) {
  handle_->data = this;
  CHECK(uv_fileno(as_handle(handle_.get()), &socket_) == 0);
}

TcpStream::~TcpStream() {
  if (first_read_ != nullptr) first_read_->stream_ = nullptr;
  if (handle_ == nullptr) ::close(socket_);
  handle_.reset();
  // Last, as a callback that is destroyed may own anything.
  std::vector<Callback<Result<void>>> unrun;
  while (first_pending_ != nullptr) {
    unrun.push_back(std::move(first_pending_->done));
    first_pending_->unlink();
  }
}

std::unique_ptr<TcpStream> TcpStream::adopt(EventLoop& loop, int socket, Blame blame) {
  return std::unique_ptr<TcpStream>(new TcpStream(loop, socket, blame));
}

uv_stream_t* TcpStream::watched() {
  if (handle_ == nullptr) {
    auto tcp = std::make_unique<uv_tcp_t>();
    CHECK(uv_tcp_init(loop_.uv_loop(), tcp.get()) == 0);
    handle_.reset(tcp.release());
    handle_->data = this;
    // Fails only for what is no socket, or is watched already.
    CHECK(uv_tcp_open(handle_.get(), socket_) == 0);
  }
  return as_stream(handle_.get());
}

void TcpStream::start_reading(StreamReader& reader) {
  if (read_finished_) return;
  const bool was_reading = std::exchange(reader_, &reader) != nullptr;
  if (!was_reading && first_read_ == nullptr) read_when_ready();
}

void TcpStream::read_when_ready() { CHECK(uv_read_start(watched(), give_buffer, on_uv_read) == 0); }

void TcpStream::stop_reading() {
  if (std::exchange(reader_, nullptr) == nullptr) return;
  if (handle_ != nullptr) uv_read_stop(as_stream(handle_.get()));
}

// libuv by itself reads on while a buffer comes back full, up to 32 in one round: two MiB that keep
// all others waiting. Without a buffer it leaves the rest to the next round.
void TcpStream::give_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) noexcept {
  const auto& loop = *static_cast<EventLoop*>(handle->loop->data);
  auto* self = static_cast<TcpStream*>(handle->data);
  if (self != nullptr && std::exchange(self->filled_buffer_, false) && !loop.may_read_on()) {
    *buffer = uv_buf_init(nullptr, 0);
    return;
  }
  const auto shared = loop.read_buffer();
  *buffer = uv_buf_init(shared.data(), static_cast<unsigned>(shared.size()));
}

void TcpStream::on_uv_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept {
  auto* self = static_cast<TcpStream*>(stream->data);
  // 0: nothing there after all (EAGAIN). ENOBUFS: give_buffer had none.
  if (self == nullptr || count == 0 || count == UV_ENOBUFS) return;
  self->loop_.on_wakeup();
  if (static_cast<std::size_t>(count) == EventLoop::kReadBufferBytes) {
    self->filled_buffer_ = true;
    self->loop_.count_full_read();
  }
  self->deliver(count, buffer->base);
}

void TcpStream::FirstRead::read() {
  if (stream_ == nullptr || stream_->reader_ == nullptr) return;
  const auto buffer = stream_->loop_.read_buffer();
  const ssize_t count = ::recv(stream_->socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  // An end or an error comes again when the loop looks: leave them to it.
  if (count > 0) stream_->deliver(count, buffer.data());
}

TcpStream::FirstRead::~FirstRead() {
  if (stream_ == nullptr) return;
  stream_->first_read_ = nullptr;
  if (stream_->reader_ != nullptr) stream_->read_when_ready();
}

// Touches nothing of the stream after the call to the reader, who may have destroyed it.
void TcpStream::deliver(ssize_t count, const char* data) {
  if (reader_ == nullptr) return;
  if (count > 0) return reader_->on_read({data, static_cast<std::size_t>(count)});
  StreamReader& reader = *reader_;
  stop_reading();
  read_finished_ = true;
  if (count == UV_EOF) return reader.on_read_end();
  reader.on_read_error(broken_connection(static_cast<int>(count), blame_, "read"));
}

std::size_t TcpStream::try_write(std::span<const std::string_view> pieces) {
  // What is queued goes first; after shutdown_write() nothing goes.
  if (handle_ != nullptr &&
      (handle_->write_queue_size != 0 || uv_is_writable(as_stream(handle_.get())) == 0)) {
    return 0;
  }
  std::array<iovec, kTryWritePiecesMax> buffers;
  std::size_t used = 0;
  for (const std::string_view piece : pieces) {
    if (used == buffers.size()) break;
    if (piece.empty()) continue;
    // An iovec is not const because reads use it too; writing does not change what it names.
    buffers[used++] = {const_cast<char*>(piece.data()), piece.size()};
  }
  if (used == 0) return 0;
  ssize_t taken = 0;
  do {
    taken = ::writev(socket_, buffers.data(), static_cast<int>(used));
  } while (taken < 0 && errno == EINTR);
  return taken > 0 ? static_cast<std::size_t>(taken) : 0;
}

void TcpStream::write(std::vector<SharedBytes> pieces, Callback<Result<void>> done) {
  auto pending = std::make_unique<PendingWrite>();
  pending->pieces = std::move(pieces);
  pending->done = std::move(done);
  pending->request.data = pending.get();
  pending->link(*this);

  std::vector<uv_buf_t> buffers;
  buffers.reserve(pending->pieces.size() + 1);
  for (const SharedBytes& piece : pending->pieces) {
    const std::string_view text = piece.text();
    if (!text.empty()) buffers.push_back({const_cast<char*>(text.data()), text.size()});
  }
  // A write of nothing still calls back, in its order.
  if (buffers.empty()) buffers.push_back(uv_buf_init(nullptr, 0));

  uv_stream_t* const stream = watched();
  std::size_t offered = stream->write_queue_size;
  for (const uv_buf_t& buffer : buffers) offered += buffer.len;
  const int status = uv_write(&pending->request, stream, buffers.data(),
                              static_cast<unsigned>(buffers.size()), on_uv_write);
  if (status != 0) return fail_later(std::move(pending), status);
  loop_.count_written(offered - stream->write_queue_size);
  static_cast<void>(pending.release());  // on_uv_write takes it back
}

void TcpStream::on_uv_write(uv_write_t* request, int status) noexcept {
  std::unique_ptr<PendingWrite> pending(static_cast<PendingWrite*>(request->data));
  auto& loop = *static_cast<EventLoop*>(request->handle->loop->data);
  loop.on_wakeup();
  pending->pieces.clear();
  finish(loop, std::move(pending), status);
}

// libuv by itself calls back up to nine times in a round, and each call may bring the next write.
// One that is not the stream's oldest has to wait for those before it, which wait for a round.
void TcpStream::finish(EventLoop& loop, std::unique_ptr<PendingWrite> written, int status) {
  if (written->next == nullptr && loop.may_write_on()) return written->finish(status);
  loop.post([&loop, pending = std::move(written), status]() mutable {
    finish(loop, std::move(pending), status);
  });
}

void TcpStream::fail_later(std::unique_ptr<PendingWrite> failed, int status) {
  loop_.post([pending = std::move(failed), status] { pending->finish(status); });
}

void TcpStream::shutdown_write() {
  // Nothing is pending at a socket that libuv does not know.
  if (handle_ == nullptr) {
    ::shutdown(socket_, SHUT_WR);
    return;
  }
  auto request = std::make_unique<uv_shutdown_t>();
  // A connection that is broken already has nothing to shut down; the reader hears of that.
  const auto forget = [](uv_shutdown_t* finished, int) { delete finished; };
  if (uv_shutdown(request.get(), as_stream(handle_.get()), forget) == 0) {
    static_cast<void>(request.release());
  }
}

SocketAddress TcpStream::peer_address() const {
  if (peer_.port == 0) peer_ = peer_of(socket_);
  return peer_;
}

SocketAddress TcpStream::local_address() const { return local_of(socket_); }

}  // namespace revcache::net
