// The calls of /api/v1: which request is one, what its body says, and the JSON of its answer. Pure
// but for the operations that it asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "admin/access.h"
#include "admin/answer.h"
#include "admin/operations.h"
#include "http/message.h"

namespace revcache::admin {

inline constexpr std::size_t kApiBodyBytesMax = std::size_t{16} * 1024;
inline constexpr std::size_t kEntriesDefault = 100;  // of audit and decisions
inline constexpr std::size_t kEntriesMax = 1000;
inline constexpr std::size_t kNoteBytesMax = 1024;

enum class ApiCall : std::uint8_t {
  status,
  authorities,
  crls,
  upstreams,
  config,
  floor_reset,
  revoke,
  unrevoke,
  revoked,
  refresh,
  audit,
  decisions,
  explain,
  purge,
  check,
};

struct ApiRequest {
  ApiCall call = ApiCall::revoked;
  std::string query;
  std::string by;  // the peer's address
};

// The call, or the refusal: 404, 405, 403 and 401 of refuse_change(), 415 for a body that is not
// said to be JSON (a form of a foreign page cannot say so), 413.
std::expected<ApiRequest, Answer> decide_api(const http::RequestHead& head, const Asked& asked,
                                             const AccessRules& rules);

// Of the body of this call.
[[nodiscard]] std::size_t body_bytes_max(ApiCall call) noexcept;
Answer too_long(ApiCall call);  // 413

// One line for each call, for people.
std::string api_index();

// Carries out any call but refresh and check. Blocks as `operations` do: pool threads.
Answer answer_call(const ApiRequest& request, std::string_view body, Operations& operations);

// {} for everything, {"url": …} or {"authority": …}.
std::expected<RefreshTarget, Answer> read_refresh_target(std::string_view body);
Answer refresh_answer(const Done<std::vector<RefreshedUrl>>& done);

Answer api_error(std::uint16_t status, std::string_view text);

}  // namespace revcache::admin
