// From a request's head to what is to be done with it: forward, reverse, tunnel, own path, or a
// refusal that names the rule. Decides; does nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/ip_address.h"
#include "http/message.h"
#include "http/uri.h"
#include "metrics/metrics.h"
#include "proxy/access_control.h"
#include "proxy/error_reply.h"

namespace revcache::proxy {

struct ForwardRoute {
  http::UriView uri;
  bool pass = false;  // access.other_destinations = "pass"
};
struct ConnectRoute {
  std::string host;
  std::uint16_t port = 0;
};
struct OwnRoute {
  std::string_view path;  // path and query of an origin-form request to ourselves
};
// OPTIONS or TRACE that ends here: "*", ourselves, or Max-Forwards: 0.
struct FinalRoute {};
struct RefusedRoute {
  TextReply reply;
  metrics::Denial denial = metrics::Denial::destination;
  bool counted = true;  // false: malformed rather than denied
};

using Route = std::variant<ForwardRoute, ConnectRoute, OwnRoute, FinalRoute, RefusedRoute>;

// `storage` holds what the views of a ForwardRoute point to.
Route route(const http::RequestHead& head, const AccessControl& access,
            std::string_view instance_id, std::string& storage);

// The value of Allow: the configured methods.
std::string allow_value(const AccessControl& access);

}  // namespace revcache::proxy
