#include <fstream>

#include "net/tls_session.h"
#include "tls_fixture.h"

namespace revcache::net {
namespace {

struct Verdict {
  std::string name;
  std::string alternative_names;  // in the server's certificate
  std::string asked;              // by the client
  bool accepted;
};

void PrintTo(const Verdict& verdict, std::ostream* out) { *out << verdict.name; }

class TlsNames : public TlsTest, public testing::WithParamInterface<Verdict> {};

TEST_P(TlsNames, AreVerifiedAgainstTheCertificate) {
  const Verdict& verdict = GetParam();
  const auto leaf = make_certificate(leaf_spec(verdict.alternative_names));
  ASSERT_TRUE(shake_hands(server_with(leaf), client_trusting(root_), verdict.asked));
  EXPECT_EQ(client_outcome_->has_value(), verdict.accepted);
  if (!verdict.accepted) {
    EXPECT_EQ(client_outcome_->error().code, ErrorCode::untrusted);
    EXPECT_EQ(client_outcome_->error().blame, Blame::upstream);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, TlsNames,
    testing::Values(
        Verdict{"ExactName", "DNS:cdn.example", "cdn.example", true},
        Verdict{"OtherCase", "DNS:CDN.example", "cdn.EXAMPLE", true},
        Verdict{"OtherName", "DNS:cdn.example", "other.example", false},
        Verdict{"Wildcard", "DNS:*.cdn.example", "a.cdn.example", true},
        Verdict{"WildcardCoversOneLabel", "DNS:*.cdn.example", "a.b.cdn.example", false},
        Verdict{"WildcardNotTheBareName", "DNS:*.cdn.example", "cdn.example", false},
        Verdict{"PartialWildcard", "DNS:a*.cdn.example", "ab.cdn.example", false},
        Verdict{"Ipv4", "IP:127.0.0.1", "127.0.0.1", true}, Verdict{"Ipv6", "IP:::1", "::1", true},
        Verdict{"OtherIp", "IP:127.0.0.1", "127.0.0.2", false},
        Verdict{"IpAsNameDoesNotCount", "DNS:127.0.0.1", "127.0.0.1", false},
        Verdict{"CommonNameDoesNotCount", "", "server", false},
        Verdict{"CommonNameBesideNamesDoesNotCount", "DNS:cdn.example", "server", false}),
    [](const auto& row) { return row.param.name; });

class TlsHandshakeTest : public TlsTest {
 protected:
  void expect_untrusted(std::string_view reason) {
    ASSERT_FALSE(client_outcome_->has_value());
    EXPECT_EQ(client_outcome_->error().code, ErrorCode::untrusted);
    EXPECT_NE(client_outcome_->error().detail.find(reason), std::string::npos)
        << client_outcome_->error().detail;
    EXPECT_FALSE(server_outcome_->has_value());
    EXPECT_EQ(server_outcome_->error().blame, Blame::client);
  }

  std::shared_ptr<const TlsServerContext> good_server() {
    return server_with(make_certificate(leaf_spec("DNS:cdn.example")));
  }
};

TEST_F(TlsHandshakeTest, RefusesAServerWhoseRootIsNotTrusted) {
  const auto other_root = make_certificate({.common_name = "Other Root", .is_ca = true});
  ASSERT_TRUE(shake_hands(good_server(), client_trusting(other_root), "cdn.example"));
  expect_untrusted("unable to get local issuer certificate");
}

TEST_F(TlsHandshakeTest, RefusesTheSystemsStrangers) {
  auto system = TlsClientContext::load("");
  ASSERT_TRUE(system);
  ASSERT_TRUE(shake_hands(good_server(), *system, "cdn.example"));
  ASSERT_FALSE(client_outcome_->has_value());
  EXPECT_EQ(client_outcome_->error().code, ErrorCode::untrusted);
}

TEST_F(TlsHandshakeTest, RefusesAServerThatLeavesOutItsIntermediate) {
  const auto leaf = make_certificate(leaf_spec("DNS:cdn.example"));
  ASSERT_TRUE(shake_hands(server_with(leaf, false), client_trusting(root_), "cdn.example"));
  expect_untrusted("unable to");
}

TEST_F(TlsHandshakeTest, RefusesAnExpiredCertificateAndOneThatIsNotValidYet) {
  auto spec = leaf_spec("DNS:cdn.example");
  spec.valid_from_s = -7200;
  spec.valid_until_s = -3600;
  ASSERT_TRUE(
      shake_hands(server_with(make_certificate(spec)), client_trusting(root_), "cdn.example"));
  expect_untrusted("certificate has expired");
  spec.valid_from_s = 3600;
  spec.valid_until_s = 7200;
  ASSERT_TRUE(
      shake_hands(server_with(make_certificate(spec)), client_trusting(root_), "cdn.example"));
  expect_untrusted("certificate is not yet valid");
}

TEST_F(TlsHandshakeTest, RefusesASelfSignedCertificate) {
  const auto alone =
      make_certificate({.common_name = "server", .alternative_names = "DNS:cdn.example"});
  ASSERT_TRUE(shake_hands(server_with(alone, false), client_trusting(root_), "cdn.example"));
  expect_untrusted("self-signed certificate");
}

TEST_F(TlsHandshakeTest, FailsLaterWithoutTrustedCertificatesOrWithoutAName) {
  for (const bool has_context : {false, true}) {
    ASSERT_TRUE(connect_tcp());
    transport_.set_tls(has_context ? client_trusting(root_) : nullptr);
    client_outcome_.reset();
    transport_.start_tls(std::move(plain_client_), "", kWatchdog,
                         [this](auto got) { client_outcome_ = std::move(got); });
    EXPECT_FALSE(client_outcome_);
    ASSERT_TRUE(run_until([this] { return client_outcome_.has_value(); }));
    ASSERT_FALSE(client_outcome_->has_value());
    EXPECT_EQ(client_outcome_->error().code,
              has_context ? ErrorCode::malformed : ErrorCode::unsupported);
  }
}

TEST_F(TlsHandshakeTest, TimesOutWhenThePeerIsSilent) {
  ASSERT_TRUE(connect_tcp());
  transport_.set_tls(client_trusting(root_));
  transport_.start_tls(std::move(plain_client_), "cdn.example", std::chrono::milliseconds(20),
                       [this](auto got) { client_outcome_ = std::move(got); });
  ASSERT_TRUE(run_until([this] { return client_outcome_.has_value(); }));
  ASSERT_FALSE(client_outcome_->has_value());
  EXPECT_EQ(client_outcome_->error().code, ErrorCode::timed_out);
  RecordingReader reader;
  plain_server_->start_reading(reader);
  EXPECT_TRUE(run_until([&] { return reader.over(); }));
}

TEST_F(TlsHandshakeTest, FailsWhenThePeerDoesNotSpeakTls) {
  ASSERT_TRUE(connect_tcp());
  transport_.set_tls(client_trusting(root_));
  transport_.start_tls(std::move(plain_client_), "cdn.example", kWatchdog,
                       [this](auto got) { client_outcome_ = std::move(got); });
  const std::string_view http = "HTTP/1.1 400 Bad Request\r\n\r\n";
  ASSERT_EQ(plain_server_->try_write({&http, 1}), http.size());
  ASSERT_TRUE(run_until([this] { return client_outcome_.has_value(); }));
  ASSERT_FALSE(client_outcome_->has_value());
  EXPECT_EQ(client_outcome_->error().code, ErrorCode::disconnected);
  EXPECT_NE(client_outcome_->error().detail.find("wrong version number"), std::string::npos);
}

TEST_F(TlsHandshakeTest, FailsWhenThePeerGoesAway) {
  ASSERT_TRUE(connect_tcp());
  transport_.set_tls(client_trusting(root_));
  transport_.start_tls(std::move(plain_client_), "cdn.example", kWatchdog,
                       [this](auto got) { client_outcome_ = std::move(got); });
  plain_server_->shutdown_write();
  ASSERT_TRUE(run_until([this] { return client_outcome_.has_value(); }));
  ASSERT_FALSE(client_outcome_->has_value());
  EXPECT_EQ(client_outcome_->error().code, ErrorCode::disconnected);
}

TEST_F(TlsHandshakeTest, EndingTheTransportDestroysTheCallbackUnrun) {
  ASSERT_TRUE(connect_tcp());
  bool ran = false;
  const auto owned = std::make_shared<int>(0);
  {
    UvTransport transport(loop_, client_trusting(root_));
    transport.start_tls(std::move(plain_client_), "cdn.example", kWatchdog,
                        [&ran, owned](auto) { ran = true; });
    run_rounds();
    EXPECT_EQ(owned.use_count(), 2);
  }
  EXPECT_EQ(owned.use_count(), 1);
  run_rounds();
  EXPECT_FALSE(ran);
}

// RFC 6066 3: literal addresses are not permitted in SNI.
TEST_F(TlsHandshakeTest, SendsTheServerNameForNamesOnly) {
  const auto context = client_trusting(root_);
  auto named = TlsSession::client(*context, "cdn.example");
  ASSERT_TRUE(named);
  ASSERT_TRUE(named->handshake());
  EXPECT_NE(named->take_output().find("cdn.example"), std::string::npos);
  auto addressed = TlsSession::client(*context, "127.0.0.1");
  ASSERT_TRUE(addressed);
  ASSERT_TRUE(addressed->handshake());
  const std::string hello = addressed->take_output();
  EXPECT_EQ(hello.find("127.0.0.1"), std::string::npos);
  EXPECT_NE(hello.find("http/1.1"), std::string::npos);
}

struct FreeSslContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

// The first flight of a client that speaks nothing newer than `version`.
std::string hello_of_version(int version) {
  const std::unique_ptr<SSL_CTX, FreeSslContext> context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), version);
  SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
  const std::unique_ptr<SSL, FreeSslContext> ssl(SSL_new(context.get()));
  BIO* output = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), output);
  SSL_connect(ssl.get());
  std::string hello(BIO_ctrl_pending(output), '\0');
  std::size_t taken = 0;
  BIO_read_ex(output, hello.data(), hello.size(), &taken);
  return hello;
}

TEST_F(TlsHandshakeTest, ServesTls12ButNothingOlder) {
  const auto context = good_server();
  auto modern = TlsSession::server(*context);
  modern.feed(hello_of_version(TLS1_2_VERSION));
  EXPECT_TRUE(modern.handshake());
  auto old = TlsSession::server(*context);
  const std::string hello = hello_of_version(TLS1_1_VERSION);
  ASSERT_FALSE(hello.empty());
  old.feed(hello);
  const auto outcome = old.handshake();
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().detail.find("unsupported protocol"), std::string::npos);
  EXPECT_FALSE(old.take_output().empty());  // the alert
}

class TlsContextTest : public TlsTest {};

TEST_F(TlsContextTest, NamesTheFileThatItCannotUse) {
  const auto leaf = make_certificate(leaf_spec("DNS:a.example"));
  const auto other = make_certificate(leaf_spec("DNS:b.example"));
  const auto certificate = files_.file("leaf.pem", leaf.certificate_pem());
  const auto key = files_.file("leaf.key", leaf.key_pem());
  const auto other_key = files_.file("other.key", other.key_pem());
  const auto locked = files_.file("locked.key", leaf.key_pem("secret"));
  const auto garbage = files_.file("garbage.pem", "not PEM");

  EXPECT_TRUE(TlsServerContext::load(certificate, key));
  for (const auto& [bad_certificate, bad_key, named] :
       {std::tuple{files_.path("missing"), key, files_.path("missing")},
        std::tuple{certificate, files_.path("missing"), files_.path("missing")},
        std::tuple{garbage, key, garbage}, std::tuple{certificate, garbage, garbage},
        std::tuple{certificate, locked, locked}, std::tuple{certificate, other_key, other_key}}) {
    const auto context = TlsServerContext::load(bad_certificate, bad_key);
    ASSERT_FALSE(context);
    EXPECT_EQ(context.error().blame, Blame::local);
    EXPECT_NE(context.error().detail.find(named), std::string::npos) << context.error().detail;
  }
  for (const auto& bundle : {files_.path("missing"), garbage}) {
    const auto context = TlsClientContext::load(bundle);
    ASSERT_FALSE(context);
    EXPECT_NE(context.error().detail.find(bundle), std::string::npos);
  }
}

}  // namespace
}  // namespace revcache::net
