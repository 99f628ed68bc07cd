// A server with a chain root → intermediate → leaf, and a client that trusts the root.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "loop_fixture.h"
#include "net/tls_acceptor.h"
#include "net/tls_context.h"
#include "test_certificates.h"

namespace revcache::net {

class TlsTest : public LoopTest {
 protected:
  using Outcome = std::optional<Result<std::unique_ptr<Stream>>>;

  TlsTest()
      : root_(make_certificate({.common_name = "Test Root", .is_ca = true})),
        intermediate_(
            make_certificate({.common_name = "Test Issuing CA", .issuer = &root_, .is_ca = true})) {
  }

  TestCertificateSpec leaf_spec(const std::string& alternative_names) const {
    return {
        .common_name = "server", .alternative_names = alternative_names, .issuer = &intermediate_};
  }

  std::shared_ptr<const TlsServerContext> server_with(const TestCertificate& leaf,
                                                      bool send_intermediate = true) {
    std::string chain = leaf.certificate_pem();
    if (send_intermediate) chain += intermediate_.certificate_pem();
    auto context = TlsServerContext::load(files_.file("server.pem", chain),
                                          files_.file("server.key", leaf.key_pem()));
    EXPECT_TRUE(context) << context.error().detail;
    return *context;
  }

  std::shared_ptr<const TlsClientContext> client_trusting(const TestCertificate& root) {
    auto context = TlsClientContext::load(files_.file("roots.pem", root.certificate_pem()));
    EXPECT_TRUE(context) << context.error().detail;
    return *context;
  }

  // A TCP connection: at_client_ and at_server_ are its plain ends.
  [[nodiscard]] bool connect_tcp() {
    auto listener = Listener::open(loop_, loopback(), {}, [this](std::unique_ptr<Stream> got) {
      plain_server_ = std::move(got);
    });
    if (!listener) return false;
    transport_.connect((*listener)->local_address(), kWatchdog,
                       [this](Result<std::unique_ptr<Stream>> got) {
                         if (got) plain_client_ = std::move(*got);
                       });
    return run_until([this] { return plain_client_ && plain_server_; });
  }

  // Both handshakes over a new TCP connection; true when both have ended, well or not.
  [[nodiscard]] bool shake_hands(std::shared_ptr<const TlsServerContext> server,
                                 std::shared_ptr<const TlsClientContext> client,
                                 const std::string& server_name) {
    if (!connect_tcp()) return false;
    acceptor_.emplace(loop_, std::move(server));
    transport_.set_tls(std::move(client));
    server_outcome_.reset();
    client_outcome_.reset();
    acceptor_->accept(std::move(plain_server_), kWatchdog,
                      [this](auto got) { server_outcome_ = std::move(got); });
    transport_.start_tls(std::move(plain_client_), server_name, kWatchdog,
                         [this](auto got) { client_outcome_ = std::move(got); });
    return run_until([this] { return client_outcome_ && server_outcome_; });
  }

  TestDirectory files_;
  TestCertificate root_;
  TestCertificate intermediate_;
  UvTransport transport_{loop_};
  std::optional<TlsAcceptor> acceptor_;
  std::unique_ptr<Stream> plain_client_;
  std::unique_ptr<Stream> plain_server_;
  Outcome client_outcome_;
  Outcome server_outcome_;
};

}  // namespace revcache::net
