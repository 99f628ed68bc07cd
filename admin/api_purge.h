// POST /api/v1/purge: what its body asks for, and the JSON of its answer. Pure but for the
// operation that it asks.
#pragma once

#include <expected>
#include <string_view>

#include "admin/answer.h"
#include "admin/api.h"
#include "admin/operations.h"

namespace revcache::admin {

// {"url": …}, {"authority": …} or {"all": true}, one of them; "dry_run": true changes nothing.
std::expected<PurgeTarget, Answer> read_purge_target(std::string_view body);

// Blocks as `operations` do: pool threads.
Answer answer_purge(const ApiRequest& request, std::string_view body, Operations& operations);

}  // namespace revcache::admin
