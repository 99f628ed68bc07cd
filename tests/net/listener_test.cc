#include "net/listener.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <functional>

#include "loop_fixture.h"
#include "net/socket_address.h"

namespace revcache::net {
namespace {

class ListenerTest : public LoopTest {
 protected:
  Listener::OnAccept keep() {
    return [this](std::unique_ptr<Stream> stream) { accepted_.push_back(std::move(stream)); };
  }

  void connect_to(const SocketAddress& address) {
    transport_.connect(address, kWatchdog, [this](Result<std::unique_ptr<Stream>> got) {
      if (got) {
        connected_.push_back(std::move(*got));
      } else {
        failed_.push_back(got.error());
      }
    });
  }

  UvTransport transport_{loop_};
  std::vector<std::unique_ptr<Stream>> accepted_;
  std::vector<std::unique_ptr<Stream>> connected_;
  std::vector<Error> failed_;
};

// A blocking client, which is connected, and whose data is there, before the loop runs.
class BlockingClient {
 public:
  explicit BlockingClient(const SocketAddress& server)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const KernelAddress address = to_kernel(server);
    connected_ = ::connect(socket_, address.get(), address.length) == 0;
  }
  BlockingClient(const BlockingClient&) = delete;
  BlockingClient& operator=(const BlockingClient&) = delete;
  ~BlockingClient() { ::close(socket_); }

  [[nodiscard]] bool send(std::string_view text) const {
    return ::send(socket_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  }
  // Blocks until the server closes or resets.
  [[nodiscard]] std::string receive_all() const {
    std::string received;
    std::array<char, 256> piece{};
    for (ssize_t count = 1; count > 0;) {
      count = ::recv(socket_, piece.data(), piece.size(), 0);
      if (count > 0) received.append(piece.data(), static_cast<std::size_t>(count));
    }
    return received;
  }
  void finish_sending() const { ::shutdown(socket_, SHUT_WR); }
  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] std::uint16_t port() const { return local_of(socket_).port; }

 private:
  int socket_;
  bool connected_ = false;
};

TEST_F(ListenerTest, AcceptsOnThePortThatTheKernelChose) {
  auto listener = Listener::open(loop_, loopback(), {}, keep());
  ASSERT_TRUE(listener);
  EXPECT_NE((*listener)->local_address().port, 0);
  for (int i = 0; i < 40; ++i) connect_to((*listener)->local_address());
  ASSERT_TRUE(run_until([&] { return accepted_.size() == 40 && connected_.size() == 40; }));
}

TEST_F(ListenerTest, NamesTheAddressAndTheReasonWhenItCannotBind) {
  auto first = Listener::open(loop_, loopback(), {}, keep());
  ASSERT_TRUE(first);
  const auto taken = (*first)->local_address();
  auto second = Listener::open(loop_, taken, {}, keep());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().blame, Blame::local);
  EXPECT_NE(second.error().detail.find(taken.to_string()), std::string::npos);
  EXPECT_NE(second.error().detail.find("address already in use"), std::string::npos);
}

TEST_F(ListenerTest, FindsAFreePortThatItDoesNotKeep) {
  const auto found = Listener::free_address(loopback());
  ASSERT_TRUE(found);
  EXPECT_NE(found->port, 0);
  EXPECT_TRUE(Listener::open(loop_, *found, {}, keep()));
}

TEST_F(ListenerTest, AnAddressWhereSomebodyListensIsNotFreeEvenIfThePortIsShared) {
  auto other = Listener::open(loop_, loopback(), {.reuse_port = true}, keep());
  ASSERT_TRUE(other);
  const auto found = Listener::free_address((*other)->local_address());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::unreachable);
  EXPECT_NE(found.error().detail.find("address already in use"), std::string::npos);
}

TEST_F(ListenerTest, SharesAPortWhenAsked) {
  const ListenerOptions shared{.reuse_port = true};
  auto first = Listener::open(loop_, loopback(), shared, keep());
  ASSERT_TRUE(first);
  EXPECT_TRUE(Listener::open(loop_, (*first)->local_address(), shared, keep()));
}

TEST_F(ListenerTest, AnIpv6WildcardLeavesThePortFreeForIpv4) {
  const auto any6 = SocketAddress::parse("[::]:0");
  ASSERT_TRUE(any6);
  auto on6 = Listener::open(loop_, *any6, {}, keep());
  ASSERT_TRUE(on6) << on6.error().detail;
  const auto port = (*on6)->local_address().port;
  auto on4 = Listener::open(loop_, loopback(port), {}, keep());
  EXPECT_TRUE(on4) << on4.error().detail;
  connect_to({*IpAddress::parse("::1"), port});
  ASSERT_TRUE(run_until([&] { return accepted_.size() == 1; }));
  EXPECT_FALSE(accepted_[0]->peer_address().ip.is_v4());
}

TEST_F(ListenerTest, ReadsWhatIsThereAlreadyRightAfterAccepting) {
  for (const bool at_once : {true, false}) {
    RecordingReader reader;
    bool accepted = false;
    auto listener = Listener::open(loop_, loopback(), {.read_at_once = at_once},
                                   [&](std::unique_ptr<Stream> stream) {
                                     accepted = true;
                                     accepted_.push_back(std::move(stream));
                                     accepted_.back()->start_reading(reader);
                                   });
    ASSERT_TRUE(listener);
    const BlockingClient client((*listener)->local_address());
    ASSERT_TRUE(client.send("hello"));
    while (!accepted) loop_.run_once();
    EXPECT_EQ(reader.received, at_once ? "hello" : "");
    ASSERT_TRUE(run_until([&] { return reader.received == "hello"; }));
  }
}

TEST_F(ListenerTest, TheReaderMayDestroyTheStreamDuringTheReadRightAfterAccepting) {
  RecordingReader reader;
  std::unique_ptr<Stream> stream;
  reader.then = [&] { stream.reset(); };
  auto listener =
      Listener::open(loop_, loopback(), {.defer_accept = true}, [&](std::unique_ptr<Stream> got) {
        stream = std::move(got);
        stream->start_reading(reader);
      });
  ASSERT_TRUE(listener);
  connect_to((*listener)->local_address());
  ASSERT_TRUE(run_until([&] { return connected_.size() == 1; }));
  const std::string_view text = "x";
  ASSERT_EQ(connected_[0]->try_write({&text, 1}), 1U);
  ASSERT_TRUE(run_until([&] { return reader.received == "x"; }));
  EXPECT_FALSE(stream);
}

// How many sockets libuv knows of, also of those that it is about to close.
int handles_of(const EventLoop& loop) {
  int count = 0;
  const auto add = [](uv_handle_t* handle, void* sum) {
    if (handle->type == UV_TCP) ++*static_cast<int*>(sum);
  };
  uv_walk(loop.uv_loop(), add, &count);
  return count;
}

class FirstReadTest : public ListenerTest {
 protected:
  // Runs until a client that has sent `request` is accepted; `then` runs at each thing it said.
  void accept_one(const BlockingClient& client, std::string_view request,
                  std::function<void()> then) {
    reader_.then = std::move(then);
    ASSERT_TRUE(request.empty() || client.send(request));
    ASSERT_TRUE(run_until([&] { return was_accepted_; }));
  }

  bool try_write(std::string_view text) { return stream_->try_write({&text, 1}) == text.size(); }

  SocketAddress open() {
    auto opened = Listener::open(loop_, loopback(), {}, [this](std::unique_ptr<Stream> got) {
      was_accepted_ = true;
      stream_ = std::move(got);
      stream_->start_reading(reader_);
    });
    EXPECT_TRUE(opened);
    listener_ = std::move(*opened);
    return listener_->local_address();
  }

  RecordingReader reader_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Listener> listener_;
  bool was_accepted_ = false;
};

TEST_F(FirstReadTest, AConnectionThatIsAnsweredAtOnceIsNeverMadeKnownToLibuv) {
  const BlockingClient client(open());
  accept_one(client, "hello", [&] {
    EXPECT_TRUE(try_write("bye"));
    stream_->shutdown_write();
    stream_.reset();
    EXPECT_EQ(handles_of(loop_), 0);
  });
  EXPECT_EQ(reader_.received, "hello");
  EXPECT_EQ(client.receive_all(), "bye");
}

TEST_F(FirstReadTest, OneThatStaysIsReadByTheLoopFromThenOn) {
  const BlockingClient client(open());
  accept_one(client, "one ", nullptr);
  EXPECT_EQ(reader_.received, "one ");
  EXPECT_EQ(handles_of(loop_), 1);
  ASSERT_TRUE(client.send("two"));
  ASSERT_TRUE(run_until([&] { return reader_.received == "one two"; }));
  client.finish_sending();
  ASSERT_TRUE(run_until([&] { return reader_.ends == 1; }));
}

TEST_F(FirstReadTest, AnEndInsteadOfARequestIsToldByTheLoop) {
  const BlockingClient client(open());
  client.finish_sending();
  accept_one(client, {}, nullptr);
  ASSERT_TRUE(run_until([&] { return reader_.ends == 1; }));
  EXPECT_EQ(reader_.received, "");
}

TEST_F(FirstReadTest, StoppedDuringItNothingMoreIsReadUntilReadingIsStartedAgain) {
  const BlockingClient client(open());
  accept_one(client, "one ", [&] { stream_->stop_reading(); });
  ASSERT_TRUE(client.send("two"));
  run_rounds();
  EXPECT_EQ(reader_.received, "one ");
  EXPECT_EQ(handles_of(loop_), 0);
  stream_->start_reading(reader_);
  ASSERT_TRUE(run_until([&] { return reader_.received == "one two"; }));
}

TEST_F(FirstReadTest, StoppedAndStartedDuringItReadingGoesOn) {
  const BlockingClient client(open());
  accept_one(client, "one ", [&] {
    stream_->stop_reading();
    stream_->start_reading(reader_);
  });
  ASSERT_TRUE(client.send("two"));
  ASSERT_TRUE(run_until([&] { return reader_.received == "one two"; }));
}

TEST_F(FirstReadTest, AWriteThatMustWaitIsQueuedAndCallsBack) {
  const BlockingClient client(open());
  bool written = false;
  accept_one(client, "x", [&] {
    std::vector<SharedBytes> pieces;
    pieces.push_back(SharedBytes::copy_of("later"));
    stream_->write(std::move(pieces), [&](Result<void> done) {
      EXPECT_TRUE(done);
      written = true;
    });
    EXPECT_FALSE(written);
  });
  ASSERT_TRUE(run_until([&] { return written; }));
  EXPECT_TRUE(try_write(" and now"));
  stream_.reset();
  EXPECT_EQ(client.receive_all(), "later and now");
}

TEST_F(ListenerTest, ADeferredClientIsAcceptedWhenItHasSentSomething) {
  auto listener = Listener::open(loop_, loopback(), {.defer_accept = true}, keep());
  ASSERT_TRUE(listener);
  const BlockingClient silent((*listener)->local_address());
  const BlockingClient talks((*listener)->local_address());
  ASSERT_TRUE(silent.connected() && talks.connected());
  ASSERT_TRUE(talks.send("x"));
  ASSERT_TRUE(run_until([&] { return !accepted_.empty(); }));
  EXPECT_EQ(accepted_[0]->peer_address().port, talks.port());
  // The one that came first and said nothing is handed over late, but it is.
  ASSERT_TRUE(run_until([&] { return accepted_.size() == 2; }));
  EXPECT_EQ(accepted_[1]->peer_address().port, silent.port());
}

TEST_F(ListenerTest, StopAcceptsTheDeferredClientsThatHaveSentSomething) {
  auto listener = Listener::open(loop_, loopback(), {.defer_accept = true}, keep());
  ASSERT_TRUE(listener);
  const BlockingClient first((*listener)->local_address());
  const BlockingClient second((*listener)->local_address());
  ASSERT_TRUE(first.send("x") && second.send("y"));
  (*listener)->stop();
  EXPECT_EQ(accepted_.size(), 2U);
}

TEST_F(ListenerTest, StreamsThatTheCallbackDropsAreClosed) {
  auto listener = Listener::open(loop_, loopback(), {}, [](std::unique_ptr<Stream>) {});
  ASSERT_TRUE(listener);
  connect_to((*listener)->local_address());
  ASSERT_TRUE(run_until([&] { return connected_.size() == 1; }));
  RecordingReader reader;
  connected_[0]->start_reading(reader);
  ASSERT_TRUE(run_until([&] { return reader.over(); }));
}

TEST_F(ListenerTest, StopAcceptsWhatIsQueuedAndThenRefuses) {
  auto listener = Listener::open(loop_, loopback(), {}, keep());
  ASSERT_TRUE(listener);
  const auto address = (*listener)->local_address();
  for (int i = 0; i < 10; ++i) connect_to(address);  // the kernel completes them by itself
  (*listener)->stop();
  (*listener)->stop();
  EXPECT_EQ(accepted_.size(), 10U);
  ASSERT_TRUE(run_until([&] { return connected_.size() == 10; }));
  connect_to(address);
  ASSERT_TRUE(run_until([&] { return failed_.size() == 1; }));
  EXPECT_EQ(failed_[0].code, ErrorCode::unreachable);
}

TEST_F(ListenerTest, MayBeStoppedInsideItsOwnCallback) {
  std::unique_ptr<Listener> listener;
  auto opened = Listener::open(loop_, loopback(), {}, [&](std::unique_ptr<Stream> stream) {
    accepted_.push_back(std::move(stream));
    listener->stop();
  });
  ASSERT_TRUE(opened);
  listener = std::move(*opened);
  for (int i = 0; i < 3; ++i) connect_to(listener->local_address());
  ASSERT_TRUE(run_until([&] { return accepted_.size() == 3 && connected_.size() == 3; }));
}

// Every descriptor of the process is taken: connections are turned away, the loop does not spin on
// them, and accepting goes on when there is room again.
TEST_F(ListenerTest, TurnsConnectionsAwayWhenThereIsNoDescriptorLeftAndRecovers) {
  int exhausted = 0;
  auto listener = Listener::open(loop_, loopback(), {}, keep(), [&] { ++exhausted; });
  ASSERT_TRUE(listener);
  const auto address = (*listener)->local_address();
  connect_to(address);
  ASSERT_TRUE(run_until([&] { return accepted_.size() == 1; }));

  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  connect_to(address);  // queued in the kernel now
  const int highest = ::dup(STDERR_FILENO);
  ASSERT_GE(highest, 0);
  ::close(highest);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(highest);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  const bool turned_away = run_until([&] { return exhausted >= 1; });
  run_rounds();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(turned_away);
  EXPECT_LE(exhausted, 2);
  EXPECT_EQ(accepted_.size(), 1U);

  connect_to(address);
  ASSERT_TRUE(run_until([&] { return accepted_.size() == 2; }));
}

}  // namespace
}  // namespace revcache::net
