// What the answers of the API have in common.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>

#include "admin/answer.h"
#include "admin/operations.h"
#include "base/clock.h"

namespace revcache::admin {

using Json = nlohmann::ordered_json;

// What is no UTF-8 in it is replaced.
Answer json_answer(const Json& json);
Answer problem_answer(const Problem& problem);

// RFC 3339, UTC; null: unknown.
Json optional_time(const std::optional<WallSeconds>& time);

}  // namespace revcache::admin
