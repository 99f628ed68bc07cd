#include "commands/purge.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <ostream>
#include <string>

#include "commands/admin_client.h"
#include "commands/terminal_text.h"
#include "config/command_line.h"

namespace revcache::commands {
namespace {

using Json = nlohmann::ordered_json;

Json body_for(const config::AdminArguments& arguments) {
  Json body = Json::object();
  if (arguments.all) {
    body["all"] = true;
  } else {
    const bool is_url = arguments.target.find("://") != std::string::npos;
    body[is_url ? "url" : "authority"] = arguments.target;
  }
  if (arguments.dry_run) body["dry_run"] = true;
  return body;
}

std::uint64_t number_in(const Json& answer, const char* name) {
  const auto found = answer.find(name);
  return found != answer.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

void write_text(const Json& answer, bool dry_run, std::ostream& out) {
  const auto entries = number_in(answer, "entries");
  for (const Json& url : answer.value("urls", Json::array())) {
    if (url.is_string()) out << "  " << printable(url.get_ref<const std::string&>()) << '\n';
  }
  const auto more = number_in(answer, "more");
  if (more > 0) out << "  and " << more << " more\n";
  out << (dry_run ? "would remove " : "removed ") << entries
      << (entries == 1 ? " entry, " : " entries, ") << number_in(answer, "bytes") << " bytes\n";
  if (dry_run) return;
  out << "Evidence in use, revocations seen and revocations by hand are kept. The next request "
         "asks "
         "upstream; `revcache refresh` fetches known CRLs now.\n";
}

}  // namespace

int run_purge(const config::AdminArguments& arguments, const Surroundings& surroundings) {
  const Json body = body_for(arguments);
  Json answer;
  const int code = call_admin(arguments, surroundings, "/api/v1/purge", &body, answer);
  if (code != config::kExitOk) return code;
  if (!arguments.json) write_text(answer, arguments.dry_run, surroundings.out);
  return config::kExitOk;
}

}  // namespace revcache::commands
