// Secondary keys (RFC 9111 section 4.1). Pure. A response with Vary is stored under a variant key;
// under the primary key a vary_index entry names the request fields to look at.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/stored_response.h"
#include "http/message.h"

namespace revcache::cache {

// Stands for the value of a field that a request does not have, which is not the same as an empty
// one (RFC 9111 4.1). No field value is this: control characters are refused in them.
inline constexpr std::string_view kAbsentFieldValue = "\x01";

// Names that an index gathers over time. A response that would make them more starts anew with its
// own names; what was stored under the others is not found any more, and evicted.
inline constexpr std::size_t kVaryNamesMax = 32;

// Lower-case, sorted, unique names of Vary; a "*" is kept as the only name.
std::vector<std::string> vary_names(const http::FieldsView& response);

// The request's values for the names: whitespace around commas normalised, lines combined; one
// pair for each name, kAbsentFieldValue where the request has no such field.
std::vector<std::pair<std::string, std::string>> vary_values(const std::vector<std::string>& names,
                                                             const http::FieldsView& request);

// `primary_key`, a control octet, then names and values with their lengths: no two different inputs
// give the same key, and none gives a primary key.
std::string variant_key(std::string_view primary_key,
                        const std::vector<std::pair<std::string, std::string>>& values);

// The entry to store under the primary key. Names accumulate over `earlier` (may be null).
StoredResponsePtr make_vary_index(std::string_view primary_key,
                                  const std::vector<std::string>& names,
                                  const StoredResponse* earlier);

// The names in a vary_index entry.
std::vector<std::string> indexed_names(const StoredResponse& vary_index);

}  // namespace revcache::cache
