#include "admin/api_json.h"

#include "admin/api.h"
#include "pki/asn1_time.h"

namespace revcache::admin {

// ASCII alone: DEL, C1 and signs that turn the direction of writing, which JSON itself lets pass,
// reach no terminal.
Answer json_answer(const Json& json) {
  return {.content_type = kJson,
          .body = json.dump(-1, ' ', true, Json::error_handler_t::replace) + '\n'};
}

Answer problem_answer(const Problem& problem) {
  switch (problem.kind) {
    case ProblemKind::unknown:
      return api_error(404, problem.text);
    case ProblemKind::conflict:
      return api_error(409, problem.text);
    case ProblemKind::unavailable:
      return api_error(503, problem.text);
    case ProblemKind::failed:
      break;
  }
  return api_error(500, problem.text);
}

Json optional_time(const std::optional<WallSeconds>& time) {
  return time ? Json(pki::rfc3339(*time)) : Json(nullptr);
}

}  // namespace revcache::admin
