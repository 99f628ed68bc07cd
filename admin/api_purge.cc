#include "admin/api_purge.h"

#include <string>
#include <utility>

#include "admin/api_json.h"
#include "config/patterns.h"

namespace revcache::admin {
namespace {

std::unexpected<Answer> not_so(std::string_view text) {
  return std::unexpected(api_error(400, text));
}

// nullopt: read. Else what is wrong with this member.
std::optional<std::string> read_member(const std::string& name, const Json& value,
                                       PurgeTarget& target) {
  const bool is_flag = name == "all" || name == "dry_run";
  if (!is_flag && name != "url" && name != "authority") {
    return '"' + name + "\" is no member of this request";
  }
  if (is_flag ? !value.is_boolean() : !value.is_string()) {
    return '"' + name + "\" is to be " + (is_flag ? "true or false" : "a string");
  }
  if (name == "all") target.everything = value.get<bool>();
  if (name == "dry_run") target.dry_run = value.get<bool>();
  if (name == "url") target.url = value.get<std::string>();
  if (name == "authority") target.authority = value.get<std::string>();
  return std::nullopt;
}

}  // namespace

std::expected<PurgeTarget, Answer> read_purge_target(std::string_view body) {
  const auto json = Json::parse(body, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return not_so("the body is no JSON object");
  PurgeTarget target;
  for (const auto& [name, value] : json.items()) {
    if (const auto wrong = read_member(name, value, target)) return not_so(*wrong);
  }
  const int named = (target.url.empty() ? 0 : 1) + (target.authority.empty() ? 0 : 1) +
                    (target.everything ? 1 : 0);
  if (named != 1) return not_so("one of \"url\", \"authority\" and \"all\": true is needed");
  if (target.url.empty()) return target;
  const auto uri = config::parse_url(target.url);
  if (!uri) return not_so("url: " + uri.error());
  target.url = uri->text();
  return target;
}

Answer answer_purge(const ApiRequest& request, std::string_view body, Operations& operations) {
  const auto target = read_purge_target(body);
  if (!target) return target.error();
  const auto purged = operations.purge(*target, request.by);
  if (!purged) return problem_answer(purged.error());
  return json_answer({{"dry_run", target->dry_run},
                      {"entries", purged->entries},
                      {"bytes", purged->bytes},
                      {"urls", purged->urls},
                      {"more", purged->more}});
}

}  // namespace revcache::admin
