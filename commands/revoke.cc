#include "commands/revoke.h"

#include <nlohmann/json.hpp>

#include <ostream>
#include <string>

#include "commands/admin_client.h"
#include "commands/terminal_text.h"
#include "config/command_line.h"

namespace revcache::commands {

using Json = nlohmann::ordered_json;

int run_revoke(const config::AdminArguments& arguments, const Surroundings& surroundings) {
  const Json body{{"authority", arguments.authority},
                  {"serial", arguments.serial},
                  {"reason", arguments.reason},
                  {"note", arguments.note}};
  Json answer;
  const int code = call_admin(arguments, surroundings, "/api/v1/revoke", &body, answer);
  if (code != config::kExitOk || arguments.json) return code;
  surroundings.out << printable_member(answer, "serial") << " of "
                   << printable_member(answer, "authority") << " is revoked ("
                   << printable_member(answer, "reason") << "), durably.\n"
                   << wrapped(printable_member(answer, "clients"), 0) << '\n';
  const auto until = printable_member(answer, "crls_valid_until");
  if (!until.empty()) {
    surroundings.out << "CRLs of this authority that clients may have end by " << until << ".\n";
  }
  const auto answers_until = printable_member(answer, "answers_valid_until");
  if (!answers_until.empty()) {
    surroundings.out << "Answers of revcache that clients may have end by " << answers_until
                     << ".\n";
  }
  if (answer.value("loops_behind", 0) > 0) {
    surroundings.out << "revcache is busy: some of its threads take the revocation in a moment.\n";
  }
  return code;
}

int run_unrevoke(const config::AdminArguments& arguments, const Surroundings& surroundings) {
  const Json body{{"authority", arguments.authority}, {"serial", arguments.serial}};
  Json answer;
  const int code = call_admin(arguments, surroundings, "/api/v1/unrevoke", &body, answer);
  if (code != config::kExitOk || arguments.json) return code;
  surroundings.out << printable_member(answer, "serial") << " of "
                   << printable_member(answer, "authority")
                   << " is no longer revoked by hand; other evidence counts again.\n";
  return code;
}

int run_revoked(const config::AdminArguments& arguments, const Surroundings& surroundings) {
  Json answer;
  const int code = call_admin(arguments, surroundings, "/api/v1/revoked", nullptr, answer);
  if (code != config::kExitOk || arguments.json) return code;
  const Json all = answer.value("revoked", Json::array());
  if (all.empty()) surroundings.out << "Nothing is revoked by hand.\n";
  for (const Json& one : all) {
    const auto authority = printable_member(one, "authority");
    const auto note = printable_member(one, "note");
    surroundings.out << (authority.empty() ? "(no authority now)" : authority) << "  "
                     << printable_member(one, "serial") << "  "
                     << printable_member(one, "revoked_at") << "  "
                     << printable_member(one, "reason")
                     << (one.value("declared", false) ? "  declared in the configuration" : "")
                     << (note.empty() ? "" : "  " + note) << '\n';
  }
  return code;
}

}  // namespace revcache::commands
