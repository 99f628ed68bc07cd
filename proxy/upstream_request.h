// An upstream request's head as bytes, and the fields that continue a chain of proxies. Pure.
#pragma once

#include <string>
#include <string_view>

#include "cache/origin.h"
#include "config/config.h"
#include "http/uri.h"
#include "proxy/upstream_route.h"

namespace revcache::proxy {

inline constexpr std::string_view kViaEntry = "1.1 revcache";  // the same on all nodes

// The head of `request` for `uri` (a mirror's or a redirect's, not always the request's own) on
// this route, with its closing empty line. Fields that we set ourselves are left out of those
// given.
std::string render_request_head(const cache::OriginRequest& request, const http::Uri& uri,
                                const UpstreamRoute& route, std::string_view instance_id);

// "Basic …" (RFC 7617); empty when the proxy has no user.
std::string basic_credentials(const config::ParentProxy& parent);

// True if a received CDN-Loop names us (RFC 8586 section 2): the request has been here before.
bool is_looped(std::string_view cdn_loop, std::string_view instance_id) noexcept;

// May be sent again although the first attempt may have arrived (RFC 9110 9.2.2): its method is
// idempotent, or it is an OCSP question, and its content is at hand.
bool is_replayable(const cache::OriginRequest& request) noexcept;

}  // namespace revcache::proxy
