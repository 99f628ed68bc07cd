#include "commands/floor.h"

#include <nlohmann/json.hpp>

#include <ostream>

#include "commands/admin_client.h"
#include "commands/terminal_text.h"
#include "config/command_line.h"

namespace revcache::commands {

int run_floor_reset(const config::AdminArguments& arguments, const Surroundings& surroundings) {
  using Json = nlohmann::ordered_json;
  Json answer;
  const Json body{{"authority", arguments.authority}};
  const int code = call_admin(arguments, surroundings, "/api/v1/floor/reset", &body, answer);
  if (code != config::kExitOk || arguments.json) return code;
  surroundings.out << printable_member(answer, "authority") << ": "
                   << answer.value("floors_removed", 0)
                   << " floors removed; older CRLs and OCSP answers of it are taken again.\n"
                   << "revcache refresh " << printable(arguments.authority)
                   << " fetches them now.\n";
  return code;
}

}  // namespace revcache::commands
