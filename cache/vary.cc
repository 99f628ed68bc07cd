#include "cache/vary.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>

#include "base/check.h"
#include "http/characters.h"

namespace revcache::cache {
namespace {

// Ends the primary key: no URI contains it, and an OCSP key says its own length.
constexpr char kVariantMark = '\x02';

void sort_unique(std::vector<std::string>& names) {
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), http::to_lower);
  return lower;
}

// Without the whitespace that RFC 9110 5.6.1 allows around commas; quoted strings stay as they are.
std::string normalised(std::string_view value) {
  std::string text;
  text.reserve(value.size());
  while (!value.empty()) {
    if (value.front() == '"') {
      const std::string_view quoted = value.substr(0, http::quoted_string_end(value));
      text += quoted;
      value.remove_prefix(quoted.size());
      continue;
    }
    if (value.front() != ',') {
      text += value.front();
      value.remove_prefix(1);
      continue;
    }
    while (text.ends_with(' ') || text.ends_with('\t')) text.pop_back();
    text += ',';
    value = http::trim(value.substr(1));
  }
  return text;
}

void append_sized(std::string& out, std::string_view text) {
  CHECK(text.size() <= std::numeric_limits<std::uint32_t>::max());
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out += static_cast<char>(static_cast<unsigned char>(text.size() >> shift));
  }
  out += text;
}

}  // namespace

std::vector<std::string> vary_names(const http::FieldsView& response) {
  std::vector<std::string> names;
  for (const http::Field& field : response) {
    if (field.id != http::FieldId::vary) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::string_view name = http::next_element(rest);
      if (name == "*") return {"*"};
      if (!name.empty()) names.push_back(lower_case(name));
    }
  }
  sort_unique(names);
  return names;
}

std::vector<std::pair<std::string, std::string>> vary_values(const std::vector<std::string>& names,
                                                             const http::FieldsView& request) {
  std::vector<std::pair<std::string, std::string>> values;
  values.reserve(names.size());
  for (const std::string& name : names) {
    const auto value = request.combined(name);
    values.emplace_back(name, value ? normalised(*value) : std::string(kAbsentFieldValue));
  }
  return values;
}

std::string variant_key(std::string_view primary_key,
                        const std::vector<std::pair<std::string, std::string>>& values) {
  std::string key(primary_key);
  key += kVariantMark;
  for (const auto& [name, value] : values) {
    append_sized(key, name);
    append_sized(key, value);
  }
  return key;
}

StoredResponsePtr make_vary_index(std::string_view primary_key,
                                  const std::vector<std::string>& names,
                                  const StoredResponse* earlier) {
  std::vector<std::string> all = names;
  if (earlier != nullptr) {
    const auto known = indexed_names(*earlier);
    all.insert(all.end(), known.begin(), known.end());
  }
  sort_unique(all);
  if (all.size() > kVaryNamesMax) {
    all = names;
    sort_unique(all);
  }
  StoredResponse index;
  index.key = primary_key;
  index.vary_index = true;
  index.vary.reserve(all.size());
  for (std::string& name : all) index.vary.emplace_back(std::move(name), std::string());
  return std::make_shared<const StoredResponse>(std::move(index));
}

std::vector<std::string> indexed_names(const StoredResponse& vary_index) {
  std::vector<std::string> names;
  names.reserve(vary_index.vary.size());
  for (const auto& pair : vary_index.vary) names.push_back(pair.first);
  return names;
}

}  // namespace revcache::cache
