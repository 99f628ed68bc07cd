// Whether a request to the admin port was meant for it, and whether who sends it may: Host, Origin
// and bearer token. Pure.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/answer.h"
#include "http/message.h"
#include "http/uri.h"

namespace revcache::admin {

struct AccessRules {
  std::vector<std::string> names;  // host names of ours, lower case
  std::string token;  // every request needs it but for the files of the page; empty: none does
  std::string change_token;  // every change needs it; empty: no change is taken
};

// What a request asks for, in either form of a target that an origin server takes (RFC 9112 3.2).
struct Asked {
  std::string path;   // without query
  std::string query;  // behind the "?"
  std::optional<http::Authority> authority;
};

// True for what programs use, whose refusals are JSON.
bool is_api_path(std::string_view path) noexcept;
// A refusal in the form that `path` speaks: {"error": …} or plain text.
Answer refusal(std::string_view path, std::uint16_t status, std::string_view text);
// 401, with what the client is to present.
Answer token_refusal(std::string_view path);

// In this order: 405 for CONNECT, 400 for a target that cannot be read, 421 for a Host that is not
// ours (DNS rebinding), 403 for a page of another origin (cross-site request forgery), 401.
std::expected<Asked, Answer> admit(const http::RequestHead& head, const AccessRules& rules);

// For what changes something: 403 when no token is configured, 401 without it. nullopt: it may.
std::optional<Answer> refuse_change(const http::RequestHead& head, const Asked& asked,
                                    const AccessRules& rules);

}  // namespace revcache::admin
