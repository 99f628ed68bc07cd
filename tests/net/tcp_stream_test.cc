#include "net/tcp_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <thread>

#include "loop_fixture.h"

namespace revcache::net {
namespace {

using std::string_view_literals::operator""sv;

std::size_t try_write(Stream& stream, std::string_view text) {
  const std::array pieces{text};
  return stream.try_write(pieces);
}

std::vector<SharedBytes> one_piece(std::string text) {
  std::vector<SharedBytes> pieces;
  pieces.push_back(SharedBytes::take(std::move(text)));
  return pieces;
}

class TcpStreamTest : public ConnectedTest {
 protected:
  void TearDown() override {
    client_.reset();
    server_.reset();
  }

  // Writes to a peer that does not read until its socket takes nothing more.
  std::size_t fill(Stream& stream) {
    const std::string block(256 * 1024, 'x');
    std::size_t written = 0;
    while (const std::size_t taken = try_write(stream, block)) written += taken;
    return written;
  }

  // The next thing that is read from `stream` is a reset.
  void reset_peer_of(std::unique_ptr<Stream>& peer) {
    auto* tcp = dynamic_cast<TcpStream*>(peer.get());
    ASSERT_NE(tcp, nullptr);
    const linger at_once{1, 0};
    ASSERT_EQ(setsockopt(tcp->socket(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    peer.reset();
  }

  RecordingReader at_client_;
  RecordingReader at_server_;
};

TEST_F(TcpStreamTest, CarriesPiecesBothWaysInOrder) {
  server_->start_reading(at_server_);
  client_->start_reading(at_client_);
  const std::array request{"GET "sv, ""sv, "/a"sv, "\r\n"sv};
  EXPECT_EQ(client_->try_write(request), 8U);
  ASSERT_TRUE(run_until([&] { return at_server_.received == "GET /a\r\n"; }));
  EXPECT_EQ(try_write(*server_, "200"), 3U);
  ASSERT_TRUE(run_until([&] { return at_client_.received == "200"; }));
}

TEST_F(TcpStreamTest, LeavesPiecesOverItsLimitForTheNextTryWrite) {
  const std::vector<std::string_view> pieces(TcpStream::kTryWritePiecesMax + 5, "ab");
  EXPECT_EQ(client_->try_write(pieces), TcpStream::kTryWritePiecesMax * 2);
}

TEST_F(TcpStreamTest, TryWriteOfNothingTakesNothing) {
  EXPECT_EQ(client_->try_write({}), 0U);
  EXPECT_EQ(try_write(*client_, ""), 0U);
}

TEST_F(TcpStreamTest, KnowsBothAddresses) {
  EXPECT_EQ(client_->peer_address(), server_->local_address());
  EXPECT_EQ(server_->peer_address(), client_->local_address());
  EXPECT_TRUE(server_->peer_address().ip.is_loopback());
}

TEST_F(TcpStreamTest, TryWriteTakesNothingWhileAWriteIsPendingAndOrderIsKept) {
  const std::size_t first = fill(*client_);
  bool written = false;
  client_->write(one_piece("queued"), [&](Result<void> result) { written = result.has_value(); });
  EXPECT_EQ(try_write(*client_, "overtaking"), 0U);
  EXPECT_FALSE(written);
  server_->start_reading(at_server_);
  ASSERT_TRUE(run_until([&] { return written && at_server_.received.size() == first + 6; }));
  EXPECT_TRUE(at_server_.received.ends_with("xqueued"));
  EXPECT_EQ(try_write(*client_, "now"), 3U);
}

TEST_F(TcpStreamTest, RunsWriteCallbacksInOrderNeverInsideTheCallAndHoldsTheBytes) {
  std::string order;
  auto owner = std::make_shared<std::string>("held");
  std::weak_ptr<std::string> watched = owner;
  std::vector<SharedBytes> pieces;
  pieces.push_back(SharedBytes::inside(owner, *owner));
  pieces.push_back(SharedBytes{});
  pieces.push_back(SharedBytes::copy_of(" bytes"));
  owner.reset();
  client_->write(std::move(pieces), [&](Result<void>) { order += '1'; });
  client_->write({}, [&](Result<void>) { order += '2'; });
  client_->write(one_piece("."), [&](Result<void>) { order += '3'; });
  EXPECT_EQ(order, "");
  EXPECT_FALSE(watched.expired());
  server_->start_reading(at_server_);
  ASSERT_TRUE(run_until([&] { return order.size() == 3 && at_server_.received.size() == 11; }));
  EXPECT_EQ(order, "123");
  EXPECT_EQ(at_server_.received, "held bytes.");
  EXPECT_TRUE(watched.expired());
}

TEST_F(TcpStreamTest, WhoWritesOnAndOnLeavesEachRoundToOthersToo) {
  constexpr std::size_t kPiece = EventLoop::kWriteBytesPerRoundMax / 2;
  constexpr std::size_t kPieces = 40;
  std::size_t written = 0;
  const std::function<void()> write_on = [&] {
    client_->write(one_piece(std::string(kPiece, 'x')), [&](const Result<void>& result) {
      ASSERT_TRUE(result);
      if (++written < kPieces) write_on();
    });
  };
  // A peer on a thread of its own takes all that comes: the socket is never full.
  auto* peer = dynamic_cast<TcpStream*>(server_.get());
  ASSERT_NE(peer, nullptr);
  std::size_t received = 0;
  std::thread reading([&, socket = peer->socket()] {
    std::vector<char> buffer(kPiece);
    pollfd ready{.fd = socket, .events = POLLIN, .revents = 0};
    while (received < kPieces * kPiece && poll(&ready, 1, 60'000) == 1) {
      const ssize_t count = recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count <= 0) break;  // only this thread reads: it was ready, so this is the end
      received += static_cast<std::size_t>(count);
    }
  });
  write_on();
  std::size_t most = 0;
  std::size_t before = 0;
  const bool all_written = run_until([&] {
    most = std::max(most, written - before);
    before = written;
    return written == kPieces;
  });
  if (!all_written) client_.reset();
  reading.join();
  EXPECT_TRUE(all_written);
  EXPECT_EQ(received, kPieces * kPiece);
  // run_once() sees the end of one round and the beginning of the next.
  EXPECT_LE(most, EventLoop::kWriteBytesPerRoundMax / kPiece + 1);
}

TEST_F(TcpStreamTest, StopReadingHoldsBackUntilReadingIsStartedAgain) {
  at_server_.then = [&] { server_->stop_reading(); };
  server_->start_reading(at_server_);
  ASSERT_EQ(try_write(*client_, "one"), 3U);
  ASSERT_TRUE(run_until([&] { return at_server_.received == "one"; }));
  ASSERT_EQ(try_write(*client_, "two"), 3U);
  run_rounds();
  EXPECT_EQ(at_server_.received, "one");
  server_->start_reading(at_server_);
  ASSERT_TRUE(run_until([&] { return at_server_.received == "onetwo"; }));
}

TEST_F(TcpStreamTest, ReadsItsShareInOneRoundAndTheRestLaterWithoutForgettingOthers) {
  const std::size_t first_bytes = fill(*client_);
  ASSERT_GT(first_bytes, 4 * EventLoop::kReadBytesPerRoundMax);
  const auto first_client = std::move(client_);
  const auto first_server = std::move(server_);
  ASSERT_TRUE(connect_both());
  const std::size_t second_bytes = fill(*client_);
  RecordingReader first;
  RecordingReader second;
  first_server->start_reading(first);
  server_->start_reading(second);
  std::size_t rounds_of_both = 0;
  while (first.received.size() < first_bytes || second.received.size() < second_bytes) {
    const std::size_t first_before = first.received.size();
    const std::size_t second_before = second.received.size();
    loop_.run_once();
    const std::size_t of_first = first.received.size() - first_before;
    const std::size_t of_second = second.received.size() - second_before;
    // Whoever comes first has the round's share, the other one buffer.
    ASSERT_LE(of_first + of_second,
              EventLoop::kReadBytesPerRoundMax + 2 * EventLoop::kReadBufferBytes);
    if (of_first > 0 && of_second > 0) ++rounds_of_both;
  }
  EXPECT_GT(rounds_of_both, 2U);
}

TEST_F(TcpStreamTest, StartReadingAgainReplacesTheReader) {
  RecordingReader other;
  server_->start_reading(at_server_);
  server_->start_reading(other);
  ASSERT_EQ(try_write(*client_, "x"), 1U);
  ASSERT_TRUE(run_until([&] { return other.received == "x"; }));
  EXPECT_EQ(at_server_.received, "");
}

TEST_F(TcpStreamTest, TellsTheEndOnceAndTheOtherDirectionGoesOn) {
  server_->start_reading(at_server_);
  client_->start_reading(at_client_);
  client_->write(one_piece("last words"), [](Result<void>) {});
  client_->shutdown_write();
  ASSERT_TRUE(run_until([&] { return at_server_.ends == 1; }));
  EXPECT_EQ(at_server_.received, "last words");
  server_->start_reading(at_server_);  // nothing is read after the end
  EXPECT_EQ(try_write(*server_, "reply"), 5U);
  ASSERT_TRUE(run_until([&] { return at_client_.received == "reply"; }));
  EXPECT_EQ(at_server_.ends, 1);
  EXPECT_TRUE(at_server_.errors.empty());
}

TEST_F(TcpStreamTest, TellsAResetFromAnEndAndWhoseFaultItIs) {
  server_->start_reading(at_server_);
  reset_peer_of(client_);
  ASSERT_TRUE(run_until([&] { return at_server_.over(); }));
  EXPECT_EQ(at_server_.ends, 0);
  ASSERT_EQ(at_server_.errors.size(), 1U);
  EXPECT_EQ(at_server_.errors[0].code, ErrorCode::disconnected);
  EXPECT_EQ(at_server_.errors[0].blame, Blame::client);
  EXPECT_NE(at_server_.errors[0].detail.find("connection reset"), std::string::npos);
}

TEST_F(TcpStreamTest, BlamesTheUpstreamOnConnectionsItMade) {
  client_->start_reading(at_client_);
  reset_peer_of(server_);
  ASSERT_TRUE(run_until([&] { return at_client_.over(); }));
  ASSERT_EQ(at_client_.errors.size(), 1U);
  EXPECT_EQ(at_client_.errors[0].blame, Blame::upstream);
}

TEST_F(TcpStreamTest, WritesToABrokenConnectionFailAndDoNotKillTheProcess) {
  server_->start_reading(at_server_);
  reset_peer_of(client_);
  ASSERT_TRUE(run_until([&] { return at_server_.over(); }));
  EXPECT_EQ(try_write(*server_, "into the void"), 0U);
  std::optional<Result<void>> outcome;
  server_->write(one_piece("again"), [&](Result<void> result) { outcome = std::move(result); });
  EXPECT_FALSE(outcome);
  ASSERT_TRUE(run_until([&] { return outcome.has_value(); }));
  ASSERT_FALSE(outcome->has_value());
  EXPECT_EQ(outcome->error().code, ErrorCode::disconnected);
}

TEST_F(TcpStreamTest, WriteAfterShutdownFailsLater) {
  client_->shutdown_write();
  EXPECT_EQ(try_write(*client_, "late"), 0U);
  std::optional<Result<void>> outcome;
  client_->write(one_piece("late"), [&](Result<void> result) { outcome = std::move(result); });
  EXPECT_FALSE(outcome);
  ASSERT_TRUE(run_until([&] { return outcome.has_value(); }));
  EXPECT_FALSE(outcome->has_value());
}

TEST_F(TcpStreamTest, AWriteAfterShutdownFailsThoughOneBeforeItStillWaits) {
  fill(*client_);
  bool sent = false;
  std::optional<Result<void>> result;
  client_->write(one_piece("queued"), [&](const Result<void>&) { sent = true; });
  client_->shutdown_write();
  client_->write(one_piece("too late"), [&](Result<void> got) { result = std::move(got); });
  ASSERT_TRUE(run_until([&] { return result.has_value(); }));
  EXPECT_FALSE(*result);
  EXPECT_FALSE(sent);
}

TEST_F(TcpStreamTest, ShutdownBeforeAnythingElseTellsTheOtherSideTheEnd) {
  server_->shutdown_write();
  EXPECT_EQ(try_write(*server_, "late"), 0U);
  client_->start_reading(at_client_);
  ASSERT_TRUE(run_until([&] { return at_client_.ends == 1; }));
  server_->start_reading(at_server_);
  EXPECT_EQ(try_write(*client_, "still"), 5U);
  ASSERT_TRUE(run_until([&] { return at_server_.received == "still"; }));
}

TEST_F(TcpStreamTest, MayBeDestroyedInsideEachOfTheReadersCalls) {
  at_server_.then = [&] { server_.reset(); };
  server_->start_reading(at_server_);
  ASSERT_EQ(try_write(*client_, "x"), 1U);
  ASSERT_TRUE(run_until([&] { return !server_; }));

  ASSERT_TRUE(connect_both());
  server_->start_reading(at_server_);
  client_->shutdown_write();
  ASSERT_TRUE(run_until([&] { return !server_; }));
  EXPECT_EQ(at_server_.ends, 1);

  ASSERT_TRUE(connect_both());
  server_->start_reading(at_server_);
  reset_peer_of(client_);
  ASSERT_TRUE(run_until([&] { return !server_; }));
  EXPECT_EQ(at_server_.errors.size(), 1U);
}

TEST_F(TcpStreamTest, MayBeDestroyedInsideAWriteCallback) {
  bool second_ran = false;
  const auto owned = std::make_shared<int>(0);
  client_->write(one_piece("a"), [&](Result<void>) { client_.reset(); });
  client_->write(one_piece("b"), [&second_ran, owned](Result<void>) { second_ran = true; });
  ASSERT_TRUE(run_until([&] { return !client_; }));
  EXPECT_EQ(owned.use_count(), 1);
  run_rounds();
  EXPECT_FALSE(second_ran);
}

TEST_F(TcpStreamTest, DestroyingItDestroysPendingWriteCallbacksUnrunAndAtOnce) {
  fill(*client_);
  bool ran = false;
  const auto owned = std::make_shared<int>(0);
  client_->write(one_piece("a"), [&ran, owned](Result<void>) { ran = true; });
  client_->shutdown_write();
  client_->write(one_piece("b"), [&ran, owned](Result<void>) { ran = true; });
  client_.reset();
  EXPECT_EQ(owned.use_count(), 1);
  run_rounds();
  EXPECT_FALSE(ran);
}

TEST_F(TcpStreamTest, DestroyingItStillDeliversWhatTryWriteTook) {
  server_->start_reading(at_server_);
  ASSERT_EQ(try_write(*client_, "goodbye"), 7U);
  client_.reset();
  ASSERT_TRUE(run_until([&] { return at_server_.ends == 1; }));
  EXPECT_EQ(at_server_.received, "goodbye");
}

TEST_F(TcpStreamTest, AnIdleConnectionIsSmall) {
  EXPECT_LE(sizeof(TcpStream) + sizeof(uv_tcp_t), 384U);
}

}  // namespace
}  // namespace revcache::net
