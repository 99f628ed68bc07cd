// The command line: verbs, flags, help, version, shell completion. Pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "config/admin_arguments.h"
#include "config/evidence_arguments.h"
#include "config/load.h"
#include "config/signer_arguments.h"
#include "config/windows_kit_arguments.h"

namespace revcache::config {

enum class Verb : std::uint8_t {
  serve,
  config_check,
  config_show,
  config_default,
  check,
  crl_show,
  crl_fetch,
  ocsp_show,
  ocsp_ask,
  ocsp_verify,
  signer_new,
  status,
  floor_reset,
  revoke,
  unrevoke,
  revoked,
  refresh,
  purge,
  policy_explain,
  windows_kit,
};

struct CommandLine {
  Verb verb = Verb::serve;
  Source source;  // for load(): the file of --config and the settings that flags override
  EvidenceArguments evidence{};  // of check, crl and ocsp
  SignerArguments signer{};      // of signer new
  AdminArguments admin{};        // of what talks to a running instance
  WindowsKitArguments windows_kit{};
};

// Nothing is left to do but to print this and end.
struct Exit {
  int code = 0;
  std::string out;  // to standard output
  std::string err;  // to standard error
};

// Exit codes of every verb.
inline constexpr int kExitOk = 0;           // yes, good
inline constexpr int kExitRefused = 1;      // no, revoked
inline constexpr int kExitUnreachable = 2;  // unknown
inline constexpr int kExitInvalidChain = 3;
inline constexpr int kExitUsage = 4;  // usage, unreadable or malformed input, configuration

// `arguments` as main() has them.
std::expected<CommandLine, Exit> parse_command_line(int argc, const char* const* argv);

// "0.1.0". Static storage.
std::string_view version() noexcept;

}  // namespace revcache::config
