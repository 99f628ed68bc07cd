// What is done with one request: answered at once from memory, refused, or made an exchange.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/ip_address.h"
#include "http/message.h"
#include "proxy/reply_channel.h"
#include "proxy/request_exchange.h"
#include "proxy/worker_context.h"

namespace revcache::proxy {

struct RequestInput {
  const http::RequestHead& head;
  // The whole body, when it arrived together with the head.
  std::optional<std::string_view> body;
  IpAddress client{};
  bool client_allowed = true;
};

// Either the reply has been handed to `channel` (null is returned), or the exchange that will do
// so, not started yet. Fills `record`. `observer` outlives the exchange.
std::unique_ptr<RequestExchange> handle_request(WorkerContext& context, const RequestInput& input,
                                                ReplyChannel& channel, RequestRecord& record,
                                                ExchangeObserver& observer);

}  // namespace revcache::proxy
