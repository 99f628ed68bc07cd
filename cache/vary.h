// Secondary keys (RFC 9111 section 4.1). Pure. A response with Vary is stored under a variant key;
// under the primary key a vary_index entry names the request fields to look at.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/stored_response.h"
#include "http/message.h"

namespace revcache::cache {

// Lower-case, sorted, unique names of Vary; a "*" is kept as the only name.
std::vector<std::string> vary_names(const http::FieldsView& response);

// The request's values for the names: whitespace around commas normalised, lines combined.
std::vector<std::pair<std::string, std::string>> vary_values(const std::vector<std::string>& names,
                                                             const http::FieldsView& request);

std::string variant_key(std::string_view primary_key,
                        const std::vector<std::pair<std::string, std::string>>& values);

// The entry to store under the primary key. Names accumulate over `earlier` (may be null).
StoredResponsePtr make_vary_index(std::string_view primary_key,
                                  const std::vector<std::string>& names,
                                  const StoredResponse* earlier);

// The names in a vary_index entry.
std::vector<std::string> indexed_names(const StoredResponse& vary_index);

}  // namespace revcache::cache
