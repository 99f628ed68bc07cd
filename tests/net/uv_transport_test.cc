#include "net/uv_transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include "loop_fixture.h"
#include "net/socket_address.h"

namespace revcache::net {
namespace {

class UvTransportTest : public LoopTest {
 protected:
  using Outcome = std::optional<Result<std::unique_ptr<Stream>>>;

  Outcome connect(const SocketAddress& address, std::chrono::milliseconds timeout = kWatchdog) {
    Outcome outcome;
    transport_.connect(address, timeout, [&](auto got) { outcome = std::move(got); });
    EXPECT_FALSE(outcome);
    EXPECT_TRUE(run_until([&] { return outcome.has_value(); }));
    return outcome;
  }

  // A socket that is bound and does not listen: its port refuses connections, and stays ours.
  int bound_only() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const KernelAddress kernel = to_kernel(loopback());
    EXPECT_EQ(::bind(fd, kernel.get(), kernel.length), 0);
    return fd;
  }

  UvTransport transport_{loop_};
};

TEST_F(UvTransportTest, ConnectsByIpv4AndIpv6) {
  for (const char* text : {"127.0.0.1:0", "[::1]:0"}) {
    auto listener = Listener::open(loop_, *SocketAddress::parse(text), {}, [](auto) {});
    ASSERT_TRUE(listener) << listener.error().detail;
    const auto address = (*listener)->local_address();
    const auto outcome = connect(address);
    ASSERT_TRUE(outcome->has_value()) << outcome->error().detail;
    EXPECT_EQ((**outcome)->peer_address(), address);
    EXPECT_EQ((**outcome)->local_address().ip, address.ip);
  }
}

TEST_F(UvTransportTest, NamesTheAddressThatRefuses) {
  const int fd = bound_only();
  const auto address = local_of(fd);
  const auto outcome = connect(address);
  ::close(fd);
  ASSERT_FALSE(outcome->has_value());
  EXPECT_EQ(outcome->error().code, ErrorCode::unreachable);
  EXPECT_EQ(outcome->error().blame, Blame::upstream);
  EXPECT_EQ(outcome->error().detail, "connect to " + address.to_string() + ": connection refused");
}

// A queue of one that is full: the kernel drops what else comes.
TEST_F(UvTransportTest, TimesOutAndCancelsTheAttempt) {
  const int fd = bound_only();
  ASSERT_EQ(::listen(fd, 0), 0);
  const auto address = local_of(fd);
  std::vector<std::unique_ptr<Stream>> filling;
  Outcome last;
  for (int attempt = 0; attempt < 10; ++attempt) {
    last = connect(address, std::chrono::milliseconds(50));
    if (!last->has_value()) break;
    filling.push_back(std::move(**last));
  }
  ::close(fd);
  ASSERT_FALSE(last->has_value());
  EXPECT_EQ(last->error().code, ErrorCode::timed_out);
  EXPECT_EQ(last->error().blame, Blame::upstream);
  run_rounds();
}

TEST_F(UvTransportTest, FailsLaterWhenTheKernelRefusesAtOnce) {
  // 255.255.255.255 is no destination for TCP: connect(2) itself fails.
  const auto outcome = connect({IpAddress::v4({255, 255, 255, 255}), 80});
  ASSERT_FALSE(outcome->has_value());
  EXPECT_NE(outcome->error().detail.find("255.255.255.255:80"), std::string::npos);
}

TEST_F(UvTransportTest, EndingItDestroysCallbacksUnrun) {
  auto listener = Listener::open(loop_, loopback(), {}, [](auto) {});
  ASSERT_TRUE(listener);
  const auto owned = std::make_shared<int>(0);
  bool ran = false;
  {
    UvTransport transport(loop_);
    transport.connect((*listener)->local_address(), kWatchdog, [&ran, owned](auto) { ran = true; });
    transport.connect({IpAddress::v4({255, 255, 255, 255}), 80}, kWatchdog,
                      [&ran, owned](auto) { ran = true; });
  }
  EXPECT_EQ(owned.use_count(), 1);
  run_rounds();
  EXPECT_FALSE(ran);
}

TEST_F(UvTransportTest, TheCallbackMayEndTheTransport) {
  auto listener = Listener::open(loop_, loopback(), {}, [](auto) {});
  ASSERT_TRUE(listener);
  std::optional<UvTransport> transport(std::in_place, loop_);
  transport->connect((*listener)->local_address(), kWatchdog, [&](auto) { transport.reset(); });
  EXPECT_TRUE(run_until([&] { return !transport; }));
}

}  // namespace
}  // namespace revcache::net
