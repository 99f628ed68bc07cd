// What tests over real loopback sockets share: a loop that runs until something has happened, and
// peers that remember what they saw.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/event_loop.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/uv_timers.h"
#include "net/uv_transport.h"

namespace revcache::net {

// Far longer than any test needs: it ends a test that would hang.
inline constexpr std::chrono::seconds kWatchdog{20};

inline SocketAddress loopback(std::uint16_t port = 0) {
  return {IpAddress::v4({127, 0, 0, 1}), port};
}

class LoopTest : public testing::Test {
 protected:
  // Runs the loop until `happened` holds. False (a failure of the test) when it never does.
  [[nodiscard]] bool run_until(const std::function<bool()>& happened) {
    bool expired = false;
    const auto watchdog = timers_.after(kWatchdog, [&expired] { expired = true; });
    while (!happened() && !expired) loop_.run_once();
    return !expired;
  }

  // Lets everything that is already under way happen: tasks posted now run after what was posted
  // before, and each round looks at all sockets.
  void run_rounds(int rounds = 5) {
    for (int round = 0; round < rounds; ++round) {
      loop_.post([] {});
      loop_.run_once();
    }
  }

  EventLoop loop_;
  UvTimers timers_{loop_};
};

// Remembers all that a stream said.
class RecordingReader final : public StreamReader {
 public:
  void on_read(std::string_view chunk) override {
    received += chunk;
    if (then) then();
  }
  void on_read_end() override {
    ++ends;
    if (then) then();
  }
  void on_read_error(Error error) override {
    errors.push_back(std::move(error));
    if (then) then();
  }

  [[nodiscard]] bool over() const { return ends > 0 || !errors.empty(); }

  std::string received;
  int ends = 0;
  std::vector<Error> errors;
  std::function<void()> then;  // after each call; may destroy the stream
};

// Both ends of one connection over loopback: `client` connected, `server` accepted.
class ConnectedTest : public LoopTest {
 protected:
  void SetUp() override { ASSERT_TRUE(connect_both()); }

  bool connect_both(const ListenerOptions& options = {}) {
    auto listener = Listener::open(loop_, loopback(), options, [this](std::unique_ptr<Stream> got) {
      server_ = std::move(got);
    });
    if (!listener) return false;
    transport_.connect((*listener)->local_address(), kWatchdog,
                       [this](Result<std::unique_ptr<Stream>> got) {
                         if (got) client_ = std::move(*got);
                       });
    return run_until([this] { return client_ && server_; });
  }

  UvTransport transport_{loop_};
  std::unique_ptr<Stream> client_;
  std::unique_ptr<Stream> server_;
};

}  // namespace revcache::net
