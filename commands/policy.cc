#include "commands/policy.h"

#include <nlohmann/json.hpp>

#include <ostream>
#include <string>
#include <string_view>

#include "base/base64.h"
#include "commands/admin_client.h"
#include "commands/input_file.h"
#include "commands/terminal_text.h"
#include "config/command_line.h"
#include "pki/certificate.h"

namespace revcache::commands {
namespace {

using Json = nlohmann::ordered_json;

// The first certificate of the file: of a chain, the leaf.
Result<pki::CertificatePtr> read_certificate(const std::string& path) {
  const auto bytes = read_input(path, kSmallFileBytesMax);
  if (!bytes) return fail(bytes.error().code, Blame::local, bytes.error().detail);
  auto certificates = pki::parse_certificates(bytes->text());
  if (!certificates || certificates->empty()) {
    return fail(ErrorCode::malformed, Blame::local,
                path + ": " + (certificates ? "no certificate" : certificates.error().detail));
  }
  return certificates->front();
}

std::string_view sentence_for(std::string_view outcome) {
  if (outcome == "good") return "is good";
  if (outcome == "revoked") return "is revoked";
  if (outcome == "unknown") return "is unknown: signed, and clients take it for a refusal";
  if (outcome == "try_later") return "cannot be judged now: clients are told tryLater";
  return "is not answered for: clients are told unauthorized";
}

class Lines {
 public:
  explicit Lines(std::ostream& out) : out_(out) {}
  void add(std::string_view name, const std::string& text) {
    if (text.empty()) return;
    std::string line = "  " + std::string(name);
    line.resize(kNameWidth, ' ');
    out_ << line << text << '\n';
  }

 private:
  static constexpr std::size_t kNameWidth = 16;
  std::ostream& out_;
};

void write_evidence(Lines& lines, const Json& evidence) {
  if (!evidence.is_object()) return lines.add("evidence", "none");
  std::string what = printable_member(evidence, "kind");
  const auto number = printable_member(evidence, "number");
  if (!number.empty()) what += ", number " + number;
  lines.add("evidence", what);
  lines.add(what == "attestation" ? "  reason" : "  from", printable_member(evidence, "url"));
  lines.add("  sha256", printable_member(evidence, "sha256"));
  lines.add("  made", printable_member(evidence, "this_update"));
  lines.add("  valid until", printable_member(evidence, "valid_until"));
}

void write_unused(Lines& lines, const Json& unused) {
  if (!unused.is_array()) return;
  for (const Json& one : unused) {
    lines.add("not used",
              printable_member(one, "kind") + ", number " + printable_member(one, "number") + ": " +
                  printable_member(one, "reason") + ": " + printable_member(one, "detail"));
  }
}

void write_text(const Json& answer, const pki::Certificate& certificate, std::ostream& out) {
  out << printable(pki::name_text(certificate.subject)) << ' '
      << sentence_for(printable_member(answer, "outcome")) << ".\n";
  Lines lines(out);
  lines.add("serial", printable_member(answer, "serial"));
  lines.add("issuer", printable_member(answer, "issuer"));
  if (printable_member(answer, "issuer_by") == "name and key identifier") {
    lines.add("", "(found by name and key identifier: its signature was not verified)");
  }
  lines.add("authority", printable_member(answer, "authority"));
  lines.add("rule", printable_member(answer, "rule"));
  lines.add("why", printable_member(answer, "why"));
  lines.add("revoked at", printable_member(answer, "revoked_at"));
  lines.add("reason", printable_member(answer, "reason"));
  write_evidence(lines, answer.value("evidence", Json(nullptr)));
  write_unused(lines, answer.value("unused_evidence", Json(nullptr)));
  lines.add("signer", printable_member(answer, "signer"));
  lines.add("thisUpdate", printable_member(answer, "this_update"));
  lines.add("nextUpdate", printable_member(answer, "next_update"));
}

}  // namespace

int run_policy_explain(const config::AdminArguments& arguments, const Surroundings& surroundings) {
  const auto certificate = read_certificate(arguments.certificate);
  if (!certificate) {
    surroundings.err << "revcache: " << printable(certificate.error().detail) << '\n';
    return config::kExitUsage;
  }
  Json body{{"certificate", base64((*certificate)->der.bytes())}};
  if (!arguments.authority.empty()) body["authority"] = arguments.authority;
  Json answer;
  const int code = call_admin(arguments, surroundings, "/api/v1/explain", &body, answer);
  // 1 says revoked here, and nothing else: what the instance refused is how it was asked.
  if (code == config::kExitRefused) return config::kExitUsage;
  if (code != config::kExitOk) return code;
  if (!arguments.json) write_text(answer, **certificate, surroundings.out);
  const auto outcome = printable_member(answer, "outcome");
  if (outcome == "good") return config::kExitOk;
  return outcome == "revoked" ? config::kExitRefused : config::kExitUnreachable;
}

}  // namespace revcache::commands
