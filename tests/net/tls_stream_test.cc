#include "net/tls_stream.h"

#include "tls_fixture.h"

namespace revcache::net {
namespace {

std::size_t try_write(Stream& stream, std::string_view text) {
  return stream.try_write({&text, 1});
}

std::vector<SharedBytes> one_piece(std::string text) {
  std::vector<SharedBytes> pieces;
  pieces.push_back(SharedBytes::take(std::move(text)));
  return pieces;
}

class TlsStreamTest : public TlsTest {
 protected:
  void SetUp() override { ASSERT_TRUE(connect_both()); }

  void TearDown() override {
    client_.reset();
    server_.reset();
  }

  bool connect_both() {
    const auto leaf = make_certificate(leaf_spec("DNS:cdn.example"));
    if (!shake_hands(server_with(leaf), client_trusting(root_), "cdn.example")) return false;
    if (!client_outcome_->has_value() || !server_outcome_->has_value()) return false;
    client_ = std::move(**client_outcome_);
    server_ = std::move(**server_outcome_);
    return true;
  }

  std::unique_ptr<Stream> client_;
  std::unique_ptr<Stream> server_;
  RecordingReader at_client_;
  RecordingReader at_server_;
};

TEST_F(TlsStreamTest, CarriesPiecesBothWaysInOrder) {
  server_->start_reading(at_server_);
  client_->start_reading(at_client_);
  const std::vector<std::string_view> pieces{"GET ", "", "/a", "\r\n"};
  EXPECT_EQ(client_->try_write(pieces), 8U);
  ASSERT_TRUE(run_until([&] { return at_server_.received == "GET /a\r\n"; }));
  bool written = false;
  server_->write(one_piece("200 OK"), [&](Result<void> result) { written = result.has_value(); });
  EXPECT_FALSE(written);
  ASSERT_TRUE(run_until([&] { return written && at_client_.received == "200 OK"; }));
  EXPECT_EQ(client_->peer_address(), server_->local_address());
}

TEST_F(TlsStreamTest, CarriesMoreThanTheSocketsHoldUnderBackPressure) {
  std::string sent;
  for (int i = 0; sent.size() < 8 * 1024 * 1024; ++i) sent += std::to_string(i) + ' ';
  bool written = false;
  client_->write(one_piece(sent), [&](Result<void> result) { written = result.has_value(); });
  EXPECT_EQ(try_write(*client_, "overtaking"), 0U);
  run_rounds();
  EXPECT_FALSE(written);  // nobody reads
  server_->start_reading(at_server_);
  ASSERT_TRUE(run_until([&] { return written && at_server_.received.size() == sent.size(); }));
  EXPECT_EQ(at_server_.received, sent);
  EXPECT_EQ(try_write(*client_, "now"), 3U);
}

TEST_F(TlsStreamTest, TryWriteTakesABoundedPartAndThenNothingWhileItIsNotSent) {
  const std::string block(TlsStream::kTryWriteBytesMax * 2, 'x');
  std::size_t total = try_write(*client_, block);
  EXPECT_EQ(total, TlsStream::kTryWriteBytesMax);
  while (const std::size_t taken = try_write(*client_, block)) total += taken;
  server_->start_reading(at_server_);
  ASSERT_TRUE(run_until([&] { return at_server_.received.size() == total; }));
  EXPECT_EQ(try_write(*client_, "more"), 4U);
  ASSERT_TRUE(run_until([&] { return at_server_.received.size() == total + 4; }));
}

// Several records arrive in one read of the socket.
TEST_F(TlsStreamTest, StopReadingHoldsBackWhatIsDecryptedAlready) {
  at_server_.then = [&] { server_->stop_reading(); };
  for (const std::string_view text : {"one", "two", "three"}) {
    ASSERT_EQ(try_write(*client_, text), text.size());
  }
  client_->shutdown_write();
  run_rounds();
  server_->start_reading(at_server_);
  ASSERT_TRUE(run_until([&] { return !at_server_.received.empty(); }));
  run_rounds();
  EXPECT_EQ(at_server_.received, "one");
  server_->start_reading(at_server_);
  EXPECT_EQ(at_server_.received, "one");  // never inside the call
  ASSERT_TRUE(run_until([&] { return at_server_.received == "onetwo"; }));
  at_server_.then = nullptr;
  server_->start_reading(at_server_);
  ASSERT_TRUE(run_until([&] { return at_server_.ends == 1; }));
  EXPECT_EQ(at_server_.received, "onetwothree");
}

TEST_F(TlsStreamTest, TellsTheEndByCloseNotifyAndTheOtherDirectionGoesOn) {
  server_->start_reading(at_server_);
  client_->start_reading(at_client_);
  ASSERT_EQ(try_write(*client_, "last words"), 10U);
  client_->shutdown_write();
  EXPECT_EQ(try_write(*client_, "too late"), 0U);
  ASSERT_TRUE(run_until([&] { return at_server_.ends == 1; }));
  EXPECT_EQ(at_server_.received, "last words");
  EXPECT_TRUE(at_server_.errors.empty());
  EXPECT_EQ(try_write(*server_, "reply"), 5U);
  ASSERT_TRUE(run_until([&] { return at_client_.received == "reply"; }));
}

TEST_F(TlsStreamTest, AnEndWithoutCloseNotifyIsAnErrorSinceSomethingMayBeMissing) {
  client_->start_reading(at_client_);
  ASSERT_EQ(try_write(*server_, "HTTP/1.0 200 OK\r\n\r\nhalf"), 23U);
  server_.reset();
  ASSERT_TRUE(run_until([&] { return at_client_.over(); }));
  EXPECT_EQ(at_client_.ends, 0);
  ASSERT_EQ(at_client_.errors.size(), 1U);
  EXPECT_EQ(at_client_.errors[0].code, ErrorCode::disconnected);
  EXPECT_EQ(at_client_.errors[0].blame, Blame::upstream);
  EXPECT_TRUE(at_client_.received.ends_with("half"));
}

TEST_F(TlsStreamTest, WriteAfterTheEndFailsLater) {
  client_->shutdown_write();
  std::optional<Result<void>> outcome;
  client_->write(one_piece("late"), [&](Result<void> result) { outcome = std::move(result); });
  EXPECT_FALSE(outcome);
  ASSERT_TRUE(run_until([&] { return outcome.has_value(); }));
  EXPECT_FALSE(outcome->has_value());
}

TEST_F(TlsStreamTest, MayBeDestroyedInsideEachOfItsCallbacks) {
  at_server_.then = [&] { server_.reset(); };
  server_->start_reading(at_server_);
  ASSERT_EQ(try_write(*client_, "one"), 3U);
  ASSERT_EQ(try_write(*client_, "two"), 3U);
  ASSERT_TRUE(run_until([&] { return !server_; }));

  ASSERT_TRUE(connect_both());
  server_->start_reading(at_server_);
  client_->shutdown_write();
  ASSERT_TRUE(run_until([&] { return !server_; }));

  ASSERT_TRUE(connect_both());
  server_->start_reading(at_server_);
  client_.reset();
  ASSERT_TRUE(run_until([&] { return !server_; }));

  ASSERT_TRUE(connect_both());
  client_->write(one_piece("x"), [&](Result<void>) { client_.reset(); });
  ASSERT_TRUE(run_until([&] { return !client_; }));
}

TEST_F(TlsStreamTest, DestroyingItDestroysPendingCallbacksUnrun) {
  const auto owned = std::make_shared<int>(0);
  bool ran = false;
  client_->write(one_piece(std::string(8 * 1024 * 1024, 'x')),
                 [&ran, owned](Result<void>) { ran = true; });
  client_.reset();
  EXPECT_EQ(owned.use_count(), 1);
  run_rounds();
  EXPECT_FALSE(ran);
}

// A record that nobody with the keys has made.
TEST_F(TlsStreamTest, AForgedRecordIsAnError) {
  ASSERT_TRUE(connect_tcp());
  auto server = TlsSession::server(*server_with(make_certificate(leaf_spec("DNS:cdn.example"))));
  auto client = TlsSession::client(*client_trusting(root_), "cdn.example");
  ASSERT_TRUE(client);
  for (int flight = 0; flight < 3; ++flight) {
    ASSERT_TRUE(client->handshake());
    server.feed(client->take_output());
    ASSERT_TRUE(server.handshake());
    client->feed(server.take_output());
  }
  ASSERT_TRUE(server.write("genuine"));
  std::string record = server.take_output();
  record.back() = static_cast<char>(record.back() ^ 1);
  TlsStream stream(loop_, std::move(plain_client_), std::move(*client));
  stream.start_reading(at_client_);
  ASSERT_EQ(try_write(*plain_server_, record), record.size());
  ASSERT_TRUE(run_until([&] { return at_client_.over(); }));
  EXPECT_EQ(at_client_.received, "");
  ASSERT_EQ(at_client_.errors.size(), 1U);
  EXPECT_EQ(at_client_.errors[0].code, ErrorCode::disconnected);
}

}  // namespace
}  // namespace revcache::net
