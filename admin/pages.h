// What the admin port answers to a request: checks in order, then one of the pages or a call of the
// API. Pure but for the sources that it asks.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/access.h"
#include "admin/answer.h"
#include "admin/api.h"
#include "admin/operations.h"
#include "http/message.h"

namespace revcache::admin {

// Where the pages get their contents. Must stay callable as long as the server and its work live.
struct AdminSources {
  // The whole text of /metrics. Runs on a pool thread: must be thread-safe.
  std::function<std::string()> metrics_text;
  // What the server still waits for, for people; empty when it is ready. Runs on the admin loop.
  std::function<std::vector<std::string>()> not_ready;
  // What /api/v1 asks and changes. null: it offers nothing.
  std::shared_ptr<Operations> operations = nullptr;
};

enum class Page : std::uint8_t { calls, metrics, livez, readyz };

// The page, the file of the status page, the health of an authority or the call that is asked for,
// or the refusal: what admit() and decide_api() refuse; for a page 404, 405, 413 for a request with
// a body.
struct Decision {
  std::optional<Page> page;
  std::optional<Answer> file{};
  std::optional<std::string> health_of{};  // the name of an authority
  std::optional<ApiRequest> api;
  Answer refusal;
};
Decision decide(const http::RequestHead& head, const AccessRules& rules);

// All but metrics, which is made off the loop.
Answer page_answer(Page page, const AdminSources& sources);
Answer metrics_answer(std::string text);
Answer overloaded_answer();
Answer coding_refusal();  // 406
// For a request that the parser refused with this status.
Answer malformed_answer(std::uint16_t status, std::string_view reason);

}  // namespace revcache::admin
