#include "net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "net/socket_address.h"
#include "net/tcp_stream.h"
#include "net/uv_handle.h"
#include "net/uv_timers.h"

namespace revcache::net {

namespace {

constexpr int kBatchMax = 32;
constexpr std::chrono::milliseconds kPause{50};

// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  void close() noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

 private:
  int fd_;
};

// Something to close when no descriptor is left, so that one connection can be taken and closed.
Descriptor open_spare() { return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

bool set(int socket, int level, int option, int value) {
  return setsockopt(socket, level, option, &value, sizeof value) == 0;
}

bool switch_on(int socket, int level, int option, bool wanted) {
  return set(socket, level, option, wanted ? 1 : 0);
}

bool prepare(int socket, const SocketAddress& address, const ListenerOptions& options) {
  if (!switch_on(socket, SOL_SOCKET, SO_REUSEADDR, true)) return false;
  if (!switch_on(socket, SOL_SOCKET, SO_REUSEPORT, options.reuse_port)) return false;
  // Accepted sockets inherit it, which saves a call for each of them.
  if (!switch_on(socket, IPPROTO_TCP, TCP_NODELAY, options.nodelay)) return false;
  const int silence_seconds_max = options.defer_accept ? Listener::kSilenceMax.count() : 0;
  if (!set(socket, IPPROTO_TCP, TCP_DEFER_ACCEPT, silence_seconds_max)) return false;
  if (address.ip.is_v4()) return true;
  return switch_on(socket, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6_only);
}

Descriptor open_bound(const SocketAddress& address, const ListenerOptions& options) {
  const int family = address.ip.is_v4() ? AF_INET : AF_INET6;
  Descriptor fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open() || !prepare(fd.get(), address, options)) return Descriptor{};
  const KernelAddress kernel = to_kernel(address);
  if (::bind(fd.get(), kernel.get(), kernel.length) != 0) return Descriptor{};
  return fd;
}

Descriptor open_listening(const SocketAddress& address, const ListenerOptions& options) {
  Descriptor fd = open_bound(address, options);
  if (!fd.is_open() || ::listen(fd.get(), options.backlog) != 0) return Descriptor{};
  return fd;
}

// After a call that has set errno.
std::unexpected<Error> cannot_listen(const SocketAddress& address) {
  return fail(ErrorCode::unreachable, Blame::local,
              "listen on " + address.to_string() + ": " + describe_uv_error(-errno));
}

}  // namespace

class Listener::Sockets {
 public:
  Sockets(EventLoop& loop, Descriptor socket)
      : timers(loop), listening(std::move(socket)), spare(open_spare()) {
    auto created = std::make_unique<uv_poll_t>();
    CHECK(uv_poll_init(loop.uv_loop(), created.get(), listening.get()) == 0);
    poll.reset(created.release());
  }

  UvTimers timers;
  Descriptor listening;
  Descriptor spare;
  std::unique_ptr<Timer> resume;
  UvHandle<uv_poll_t> poll;  // before the descriptor that it polls
};

Listener::Listener(EventLoop& loop, const ListenerOptions& options, OnAccept on_accept,
                   OnExhausted on_exhausted)
    : loop_(loop),
      options_(options),
      on_accept_(std::move(on_accept)),
      on_exhausted_(std::move(on_exhausted)) {}

Listener::~Listener() = default;

Result<std::unique_ptr<Listener>> Listener::open(EventLoop& loop, const SocketAddress& address,
                                                 const ListenerOptions& options, OnAccept on_accept,
                                                 OnExhausted on_exhausted) {
  errno = 0;
  Descriptor fd = open_listening(address, options);
  if (!fd.is_open()) return cannot_listen(address);
  std::unique_ptr<Listener> listener(
      new Listener(loop, options, std::move(on_accept), std::move(on_exhausted)));
  listener->sockets_ = std::make_unique<Sockets>(loop, std::move(fd));
  uv_poll_t* poll = listener->sockets_->poll.get();
  poll->data = listener.get();
  CHECK(uv_poll_start(poll, UV_READABLE, on_uv_poll) == 0);
  return listener;
}

Result<SocketAddress> Listener::free_address(const SocketAddress& wanted) {
  errno = 0;
  const Descriptor fd = open_bound(wanted, {});
  if (!fd.is_open()) return cannot_listen(wanted);
  return local_of(fd.get());
}

SocketAddress Listener::local_address() const {
  return sockets_ ? local_of(sockets_->listening.get()) : SocketAddress{};
}

void Listener::on_uv_poll(uv_poll_s* handle, int /*status*/, int /*events*/) noexcept {
  auto* self = static_cast<Listener*>(handle->data);
  if (self == nullptr) return;
  self->loop_.on_wakeup();
  self->accept_up_to(self->batch_);
}

void Listener::stop() {
  if (!sockets_) return;
  // Bounded, as new clients may keep coming.
  if (accept_up_to(options_.backlog)) sockets_.reset();
}

// False: a callback has stopped the listener.
//
// How many are taken at a time follows what is there: one while they come one by one (asking once
// more only to hear that there is none costs a system call), more in a burst.
bool Listener::accept_up_to(int count) {
  for (int taken = 0; taken < count; ++taken) {
    const Accepted result = accept_one();
    if (!sockets_) return false;
    if (result == Accepted::none_left) {
      batch_ = std::max(1, taken);
      return true;
    }
    if (result == Accepted::exhausted) return true;
  }
  batch_ = std::min(kBatchMax, batch_ * 2);
  return true;
}

Listener::Accepted Listener::accept_one() {
  KernelAddress peer;
  peer.length = sizeof peer.storage;
  const int socket =
      ::accept4(sockets_->listening.get(), peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket >= 0) {
    hand_over(socket, from_kernel(peer.get()));
    return Accepted::one;
  }
  switch (errno) {
    case EAGAIN:
      return Accepted::none_left;
    case EMFILE:
    case ENFILE:
      turn_one_away();
      return Accepted::exhausted;
    case ENOBUFS:
    case ENOMEM:
      pause();
      return Accepted::exhausted;
    // The connection failed between its arrival and now: accept(2) hands on network errors.
    default:
      return Accepted::one;
  }
}

void Listener::hand_over(int socket, const SocketAddress& peer) {
  auto stream = TcpStream::adopt(loop_, socket, Blame::client);
  stream->set_peer_address(peer);
  TcpStream::FirstRead first(*stream);
  on_accept_(std::move(stream));
  if (options_.read_at_once) first.read();
}

// Without this, the connection would stay in the queue and the loop would spin on it.
void Listener::turn_one_away() {
  sockets_->spare.close();
  Descriptor unwanted(::accept4(sockets_->listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const bool taken = unwanted.is_open();
  unwanted.close();
  sockets_->spare = open_spare();
  // Somebody else took the descriptor meanwhile.
  if (!taken || !sockets_->spare.is_open()) return pause();
  if (on_exhausted_) on_exhausted_();
}

void Listener::pause() {
  uv_poll_stop(sockets_->poll.get());
  sockets_->resume = sockets_->timers.after(kPause, [this] {
    if (!sockets_->spare.is_open()) sockets_->spare = open_spare();
    CHECK(uv_poll_start(sockets_->poll.get(), UV_READABLE, on_uv_poll) == 0);
  });
  if (on_exhausted_) on_exhausted_();
}

}  // namespace revcache::net
