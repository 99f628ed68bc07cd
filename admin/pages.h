// What the admin port answers to a request: checks in order, then one of the pages. Pure but for
// the sources that it asks.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/answer.h"
#include "http/message.h"

namespace revcache::admin {

// Where the pages get their contents. Must stay callable as long as the server and its work live.
struct AdminSources {
  // The whole text of /metrics. Runs on a pool thread: must be thread-safe.
  std::function<std::string()> metrics_text;
  // What the server still waits for, for people; empty when it is ready. Runs on the admin loop.
  std::function<std::vector<std::string>()> not_ready;
};

struct AccessRules {
  std::vector<std::string> names;  // host names of ours, lower case
  std::string token;               // every request needs it; empty: none does
};

enum class Page : std::uint8_t { index, metrics, livez, readyz };

// The page that is asked for, or the refusal: 421 for a Host that is not ours, 400 for a target
// that cannot be read, 401 without the token, 404, 405, 413 for a request with a body.
struct Decision {
  std::optional<Page> page;
  Answer refusal;
};
Decision decide(const http::RequestHead& head, const AccessRules& rules);

// All but metrics, which is made off the loop.
Answer page_answer(Page page, const AdminSources& sources);
Answer metrics_answer(std::string text);
Answer overloaded_answer();
// For a request that the parser refused with this status.
Answer malformed_answer(std::uint16_t status, std::string_view reason);

}  // namespace revcache::admin
