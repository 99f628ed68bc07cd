#include "commands/check.h"

#include <chrono>
#include <ostream>
#include <string>
#include <utility>

#include "commands/check_report_text.h"
#include "commands/elapsed_line.h"
#include "commands/evidence_file.h"
#include "commands/terminal_text.h"
#include "config/command_line.h"
#include "pki/chain_check.h"
#include "pki/diagnosis.h"
#include "pki/diagnosis_json.h"

namespace revcache::commands {
namespace {

Result<pki::CheckInput> read_all(const config::EvidenceArguments& arguments,
                                 std::uint64_t hash_seed) {
  pki::CheckInput input;
  auto chain = load_certificates(arguments.input);
  if (!chain) return fail(std::move(chain));
  auto anchors = load_certificates(arguments.trust);
  if (!anchors) return fail(std::move(anchors));
  auto extra = load_certificates(arguments.extra);
  if (!extra) return fail(std::move(extra));
  for (const std::string& path : arguments.crls) {
    auto crl = load_crl(path, hash_seed);
    if (!crl) return fail(std::move(crl));
    input.evidence.push_back(std::move(*crl));
  }
  for (const std::string& path : arguments.ocsp) {
    auto response = load_ocsp(path);
    if (!response) return fail(std::move(response));
    input.evidence.push_back(std::move(*response));
  }
  input.chain = std::move(*chain);
  input.anchors = std::move(*anchors);
  input.extra = std::move(*extra);
  return input;
}

pki::EvidenceRules rules_of(const config::EvidenceArguments& arguments, WallTime now) {
  pki::EvidenceRules rules;
  rules.at = arguments.at ? WallTime(std::chrono::seconds(*arguments.at)) : now;
  rules.policy.allow_sha1 = arguments.allow_sha1;
  if (arguments.age_max_s) rules.age_max = std::chrono::seconds(*arguments.age_max_s);
  return rules;
}

int exit_code(pki::Outcome outcome) {
  switch (outcome) {
    case pki::Outcome::good:
      return config::kExitOk;
    case pki::Outcome::revoked:
      return config::kExitRefused;
    case pki::Outcome::unknown:
      return config::kExitUnreachable;
    case pki::Outcome::invalid:
      break;
  }
  return config::kExitInvalidChain;
}

}  // namespace

int run_check(const config::EvidenceArguments& arguments, const Surroundings& surroundings) {
  auto input = read_all(arguments, surroundings.hash_seed);
  if (!input) {
    surroundings.err << "revcache: " << printable(input.error().detail) << '\n';
    return config::kExitUsage;
  }
  const auto profile =
      arguments.profile == config::CheckProfile::nps ? pki::Profile::nps : pki::Profile::pkix;
  pki::ChainCheck check(std::move(*input), rules_of(arguments, surroundings.clock.wall()), profile);
  if (surroundings.http != nullptr && !arguments.offline) {
    check.fetch_from(*surroundings.http, surroundings.hash_seed);
  }
  const auto diagnosis = [&] {
    const ElapsedLine waiting(surroundings.progress ? &surroundings.err : nullptr, "checking");
    return check.run();
  }();
  surroundings.out << (arguments.json ? pki::diagnosis_json(diagnosis)
                                      : check_text(diagnosis, surroundings.colour));
  return exit_code(diagnosis.result);
}

}  // namespace revcache::commands
