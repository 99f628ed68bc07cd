// Requests to our own OCSP responder: the paths /ocsp and /ocsp/<authority>, and what clients send
// to a responder host that is configured as ours. A ready answer is sent at once; an exchange is
// what waits for a request's body or for a signature.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "http/message.h"
#include "proxy/forward_exchange.h"
#include "proxy/reply_channel.h"
#include "proxy/request_exchange.h"
#include "proxy/worker_context.h"
#include "revocation/ocsp_service.h"

namespace revcache::proxy {

// What a request to the responder needs of its connection. All outlive the exchange.
struct OcspConnection {
  WorkerContext& context;
  ReplyChannel& channel;
  RequestRecord& record;
  ExchangeObserver& observer;
  IpAddress client;
};

// Loop thread only; owned by the client's connection.
class OcspExchange final : public RequestExchange {
 public:
  // Answers `query`: at once, and gives nullptr, or by the exchange that it gives.
  static std::unique_ptr<RequestExchange> answer(const OcspConnection& connection,
                                                 const revocation::OcspQuery& query,
                                                 const http::RequestHead& head);
  // The request's body is still to come.
  OcspExchange(const OcspConnection& connection, std::string authority,
               ClientConditions conditions);
  // The same for a responder host: what is not ours goes on as `otherwise`.
  OcspExchange(const OcspConnection& connection, std::string host, std::uint16_t port,
               std::unique_ptr<ForwardExchange> otherwise, ClientConditions conditions);

  void expect_continue() noexcept { expects_continue_ = true; }

  void start() override;
  void let_go() override;
  [[nodiscard]] bool wants_body() const override;
  void on_body(std::string_view piece) override;
  void on_body_end() override;
  void on_reply_drained() override;

 private:
  OcspExchange(const OcspConnection& connection, revocation::OcspSignaturePtr signature,
               ClientConditions conditions);

  void ask(const revocation::OcspQuery& query);
  void wait_for(revocation::OcspSignaturePtr signature);
  void hand_over();

  OcspConnection connection_;
  ClientConditions conditions_;
  std::string authority_;
  std::string host_;
  std::uint16_t port_ = 0;
  std::unique_ptr<ForwardExchange> otherwise_;
  bool handed_over_ = false;
  revocation::OcspSignaturePtr signature_;
  bool question_is_known_ = false;  // in signature_ from the start
  std::string body_;
  bool wants_body_ = false;
  bool expects_continue_ = false;
  std::shared_ptr<OcspExchange*> self_;  // null target once let go
};

}  // namespace revcache::proxy
