#include "commands/refresh.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <ostream>
#include <string>

#include "commands/admin_client.h"
#include "config/command_line.h"

namespace revcache::commands {
namespace {

using Json = nlohmann::ordered_json;

Json body_for(const std::string& target) {
  if (target.empty()) return Json::object();
  const bool is_url = target.find("://") != std::string::npos;
  return {{is_url ? "url" : "authority", target}};
}

// What is worst decides: nothing came, then something that is no evidence.
int exit_code_of(const Json& refreshed) {
  int code = config::kExitOk;
  for (const Json& one : refreshed) {
    const auto outcome = printable_member(one, "outcome");
    if (outcome == "changed" || outcome == "unchanged") continue;
    code = std::max(code, outcome == "refused" ? config::kExitRefused : config::kExitUnreachable);
  }
  return code;
}

void write_text(const Json& refreshed, std::ostream& out) {
  for (const Json& one : refreshed) {
    const auto until = printable_member(one, "next_update");
    const auto detail = printable_member(one, "detail");
    out << printable_member(one, "outcome") << "  " << printable_member(one, "url");
    if (!until.empty()) out << "  until " << until;
    if (!detail.empty()) out << "  " << detail;
    out << '\n';
  }
}

}  // namespace

int run_refresh(const config::AdminArguments& arguments, const Surroundings& surroundings) {
  const Json body = body_for(arguments.target);
  Json answer;
  const int code = call_admin(arguments, surroundings, "/api/v1/refresh", &body, answer);
  if (code != config::kExitOk) return code;
  const Json refreshed = answer.value("refreshed", Json::array());
  if (!arguments.json) write_text(refreshed, surroundings.out);
  return exit_code_of(refreshed);
}

}  // namespace revcache::commands
