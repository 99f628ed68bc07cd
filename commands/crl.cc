#include "commands/crl.h"

#include <ostream>
#include <string>

#include "commands/crl_report.h"
#include "commands/elapsed_line.h"
#include "commands/evidence_file.h"
#include "commands/input_file.h"
#include "commands/terminal_text.h"
#include "config/command_line.h"
#include "pki/evidence_fetch.h"

namespace revcache::commands {
namespace {

int complain(const Surroundings& surroundings, std::string_view what, int code) {
  surroundings.err << "revcache: " << printable(what) << '\n';
  return code;
}

// Gives the exit code, kExitOk with a CRL in `evidence`.
int fetch(const std::string& url, const Surroundings& surroundings, pki::Evidence& evidence) {
  if (!pki::is_plain_http(url))
    return complain(surroundings, url + ": not an http URL", config::kExitUsage);
  if (surroundings.http == nullptr)
    return complain(surroundings, "nothing can be fetched", config::kExitUnreachable);
  {
    const ElapsedLine waiting(surroundings.progress ? &surroundings.err : nullptr,
                              "fetching " + printable(url));
    evidence = pki::EvidenceFetch(*surroundings.http, surroundings.hash_seed).crl(url);
  }
  if (evidence.failure) {
    return complain(surroundings, url + ": " + evidence.failure->detail, config::kExitUnreachable);
  }
  if (evidence.malformed) {
    return complain(surroundings, url + ": " + evidence.malformed->detail, config::kExitUsage);
  }
  return config::kExitOk;
}

void write(const config::EvidenceArguments& arguments, const Surroundings& surroundings,
           const pki::Evidence& evidence, bool entries) {
  if (arguments.json) return write_crl_json(surroundings.out, evidence, entries);
  write_crl_text(surroundings.out, evidence, entries);
}

}  // namespace

int run_crl_show(const config::EvidenceArguments& arguments, const Surroundings& surroundings) {
  pki::Evidence evidence;
  if (arguments.input.find("://") != std::string::npos) {
    if (const int code = fetch(arguments.input, surroundings, evidence)) return code;
  } else {
    auto loaded = load_crl(arguments.input, surroundings.hash_seed);
    if (!loaded) return complain(surroundings, loaded.error().detail, config::kExitUsage);
    evidence = std::move(*loaded);
  }
  write(arguments, surroundings, evidence, true);
  return config::kExitOk;
}

int run_crl_fetch(const config::EvidenceArguments& arguments, const Surroundings& surroundings) {
  pki::Evidence evidence;
  if (const int code = fetch(arguments.input, surroundings, evidence)) return code;
  if (!arguments.output.empty()) {
    const auto kept = write_output(arguments.output, evidence.crl->der.text());
    if (!kept) return complain(surroundings, kept.error().detail, config::kExitUsage);
  }
  write(arguments, surroundings, evidence, false);
  if (!arguments.output.empty() && !arguments.json) {
    surroundings.out << "written to " << printable(arguments.output) << '\n';
  }
  return config::kExitOk;
}

}  // namespace revcache::commands
