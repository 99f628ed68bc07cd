#include "tests/sim/sim_network.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/sim_scheduler.h"

namespace revcache::sim {
namespace {

using std::chrono::milliseconds;

const SocketAddress kServer{IpAddress::v4({198, 51, 100, 7}), 80};

// One end of a connection that keeps what it hears.
class Ear final : public net::StreamReader {
 public:
  explicit Ear(std::unique_ptr<net::Stream> taken) : stream(std::move(taken)) {
    stream->start_reading(*this);
  }
  void on_read(std::string_view chunk) override {
    heard += chunk;
    chunks.emplace_back(chunk);
  }
  void on_read_end() override { ended = true; }
  void on_read_error(Error error) override { broken = error.detail; }

  std::unique_ptr<net::Stream> stream;
  std::string heard;
  std::vector<std::string> chunks;
  bool ended = false;
  std::string broken;
};

class SimNetworkTest : public testing::Test {
 protected:
  // Connects; both ends listen.
  void open() {
    network_.listen(kServer,
                    [this](auto stream) { server_ = std::make_unique<Ear>(std::move(stream)); });
    network_.connect(kServer, milliseconds(100), [this](auto result) {
      connected_ = result.has_value();
      if (result) client_ = std::make_unique<Ear>(std::move(*result));
      if (!result) error_ = result.error();
    });
    scheduler_.run_for(milliseconds(200));
  }
  std::size_t send(Ear& from, std::string_view text) {
    const std::array<std::string_view, 1> pieces{text};
    return from.stream->try_write(pieces);
  }

  SimScheduler scheduler_{42};
  SimNetwork network_{scheduler_};
  std::unique_ptr<Ear> client_;
  std::unique_ptr<Ear> server_;
  std::optional<bool> connected_;
  std::optional<Error> error_;
};

TEST_F(SimNetworkTest, CarriesBytesBothWaysAndTheEndOfEach) {
  open();
  ASSERT_TRUE(client_ && server_);
  EXPECT_EQ(send(*client_, "ping"), 4u);
  scheduler_.run_until_idle();
  EXPECT_EQ(server_->heard, "ping");
  EXPECT_EQ(send(*server_, "pong"), 4u);
  server_->stream.reset();
  scheduler_.run_until_idle();
  EXPECT_EQ(client_->heard, "pong");
  EXPECT_TRUE(client_->ended);
  EXPECT_EQ(client_->broken, "");
}

TEST_F(SimNetworkTest, TakesNoMoreThanTheWindowUntilTheReceiverReads) {
  network_.link(kServer).to_server.window_bytes = 10;
  open();
  server_->stream->stop_reading();
  EXPECT_EQ(send(*client_, "0123456789abcdef"), 10u);
  EXPECT_EQ(send(*client_, "x"), 0u);
  scheduler_.run_until_idle();
  EXPECT_EQ(send(*client_, "x"), 0u);
  server_->stream->start_reading(*server_);
  scheduler_.run_until_idle();
  EXPECT_EQ(send(*client_, "abcdef"), 6u);
  scheduler_.run_until_idle();
  EXPECT_EQ(server_->heard, "0123456789abcdef");
}

TEST_F(SimNetworkTest, CompletesAQueuedWriteWhenTheReceiverHasMadeRoom) {
  network_.link(kServer).to_server.window_bytes = 1000;
  open();
  server_->stream->stop_reading();
  bool written = false;
  client_->stream->write(
      {SharedBytes::take(std::string(900, 'a')), SharedBytes::take(std::string(900, 'b'))},
      [&](auto result) { written = result.has_value(); });
  client_->stream->shutdown_write();
  scheduler_.run_until_idle();
  EXPECT_FALSE(written);
  EXPECT_EQ(send(*client_, "x"), 0u);
  server_->stream->start_reading(*server_);
  scheduler_.run_until_idle();
  EXPECT_TRUE(written);
  EXPECT_EQ(server_->heard, std::string(900, 'a') + std::string(900, 'b'));
  EXPECT_TRUE(server_->ended);
}

TEST_F(SimNetworkTest, ALimitedLinkTakesTheTimeThatItsRateSays) {
  network_.link(kServer).to_client.bytes_per_second = 10'000;
  open();
  EXPECT_EQ(send(*server_, std::string(20'000, 'x')), 20'000u);
  scheduler_.run_for(milliseconds(1000));
  EXPECT_GT(client_->heard.size(), 8'000u);
  EXPECT_LE(client_->heard.size(), 10'000u);
  scheduler_.run_for(milliseconds(1002));
  EXPECT_EQ(client_->heard.size(), 20'000u);
}

TEST_F(SimNetworkTest, SplitsChunksAsDrawnFromTheSeed) {
  network_.link(kServer).to_client.split_chunks = true;
  network_.link(kServer).to_client.chunk_bytes_max = 3;
  open();
  send(*server_, "the quick brown fox");
  scheduler_.run_until_idle();
  EXPECT_EQ(client_->heard, "the quick brown fox");
  EXPECT_GE(client_->chunks.size(), 7u);
}

TEST_F(SimNetworkTest, FailsToConnectInTheWayThatTheLinkSays) {
  network_.connect(kServer, milliseconds(100), [this](auto result) { error_ = result.error(); });
  scheduler_.run_until_idle();
  EXPECT_EQ(error_->code, ErrorCode::unreachable);
  network_.link(kServer).accepting = Accepting::silence;
  const auto before = scheduler_.monotonic();
  open();
  EXPECT_EQ(connected_, false);
  EXPECT_EQ(error_->code, ErrorCode::timed_out);
  EXPECT_GE(scheduler_.monotonic() - before, milliseconds(100));
  network_.link(kServer).accepting = Accepting::refuse;
  open();
  EXPECT_EQ(error_->code, ErrorCode::unreachable);
}

TEST_F(SimNetworkTest, ResetsBothEndsAfterSoManyBytes) {
  network_.link(kServer).to_client.reset_after_bytes = 5;
  open();
  send(*server_, "0123456789");
  scheduler_.run_until_idle();
  EXPECT_EQ(client_->heard, "01234");
  EXPECT_EQ(client_->broken, "connection reset");
  EXPECT_EQ(server_->broken, "connection reset");
  std::optional<Result<void>> written;
  client_->stream->write({SharedBytes::copy_of("late")},
                         [&](auto result) { written = std::move(result); });
  scheduler_.run_until_idle();
  ASSERT_TRUE(written.has_value());
  EXPECT_FALSE(written->has_value());
}

TEST_F(SimNetworkTest, StallsAfterSoManyBytesWithoutAWord) {
  network_.link(kServer).to_client.stall_after_bytes = 5;
  open();
  send(*server_, "0123456789");
  server_->stream.reset();
  scheduler_.run_until_idle();
  EXPECT_EQ(client_->heard, "01234");
  EXPECT_FALSE(client_->ended);
  EXPECT_EQ(client_->broken, "");
}

TEST_F(SimNetworkTest, AWriteToAClosedPeerIsAnsweredByAReset) {
  open();
  server_.reset();
  scheduler_.run_until_idle();
  EXPECT_TRUE(client_->ended);
  send(*client_, "anyone?");
  scheduler_.run_until_idle();
  std::optional<Result<void>> written;
  client_->stream->write({SharedBytes::copy_of("hello?")},
                         [&](auto result) { written = std::move(result); });
  scheduler_.run_until_idle();
  ASSERT_TRUE(written.has_value());
  EXPECT_EQ(written->error().code, ErrorCode::disconnected);
}

TEST_F(SimNetworkTest, RecordsServerNamesAndFailsTlsAsTold) {
  for (const auto& [outcome, code] : {std::pair{TlsOutcome::untrusted, ErrorCode::untrusted},
                                      {TlsOutcome::disconnect, ErrorCode::disconnected},
                                      {TlsOutcome::silence, ErrorCode::timed_out}}) {
    open();
    network_.set_tls("origin.test", outcome);
    std::optional<ErrorCode> found;
    network_.start_tls(std::move(client_->stream), "origin.test", milliseconds(50),
                       [&](auto result) { found = result.error().code; });
    scheduler_.run_until_idle();
    EXPECT_EQ(found, code);
    EXPECT_TRUE(server_->ended);
  }
  EXPECT_EQ(network_.tls_names(), std::vector<std::string>(3, "origin.test"));
}

TEST_F(SimNetworkTest, LeavesNothingBehind) {
  open();
  send(*client_, "x");
  client_.reset();
  server_.reset();
  scheduler_.run_until_idle();
  EXPECT_EQ(network_.open_streams(), 0u);
}

// Sends through a jittery link and gives the digest of what happened when.
std::uint64_t trace_of(std::uint64_t seed) {
  SimScheduler scheduler(seed);
  SimNetwork network(scheduler);
  network.link(kServer).to_server = {.jitter = milliseconds(5), .split_chunks = true};
  std::unique_ptr<Ear> server;
  std::unique_ptr<Ear> client;
  network.listen(kServer, [&](auto stream) { server = std::make_unique<Ear>(std::move(stream)); });
  network.connect(kServer, milliseconds(100),
                  [&](auto result) { client = std::make_unique<Ear>(std::move(*result)); });
  scheduler.run_for(milliseconds(50));
  for (int i = 0; i < 20; ++i) {
    const std::string text(100, 'x');
    const std::array<std::string_view, 1> pieces{text};
    client->stream->try_write(pieces);
    scheduler.run_for(milliseconds(1));
  }
  scheduler.run_until_idle();
  EXPECT_EQ(server->heard.size(), 2000u);
  return scheduler.trace();
}

TEST(SimTrace, IsTheSameForTheSameSeedAndAnotherForAnother) {
  EXPECT_EQ(trace_of(7), trace_of(7));
  EXPECT_NE(trace_of(7), trace_of(8));
}

}  // namespace
}  // namespace revcache::sim
