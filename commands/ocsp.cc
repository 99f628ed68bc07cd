#include "commands/ocsp.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "commands/evidence_file.h"
#include "commands/input_file.h"
#include "commands/ocsp_report.h"
#include "commands/terminal_text.h"
#include "config/command_line.h"
#include "pki/chain.h"
#include "pki/evidence_fetch.h"

namespace revcache::commands {
namespace {

int complain(const Surroundings& surroundings, std::string_view what, int code) {
  surroundings.err << "revcache: " << printable(what) << '\n';
  return code;
}

WallTime time_of(const config::EvidenceArguments& arguments, const Surroundings& surroundings) {
  return arguments.at ? WallTime(std::chrono::seconds(*arguments.at)) : surroundings.clock.wall();
}

pki::SignaturePolicy policy_of(const config::EvidenceArguments& arguments) {
  pki::SignaturePolicy policy;
  policy.allow_sha1 = arguments.allow_sha1;
  return policy;
}

OcspReport report_of(const pki::Evidence& evidence) {
  OcspReport report;
  report.source = evidence.source;
  report.cache_status = evidence.cache_status;
  report.elapsed_ms = evidence.elapsed_ms;
  report.response = evidence.ocsp;
  return report;
}

void note(OcspReport& report, const pki::Checked<pki::VerifiedOcspResponsePtr>& verified) {
  report.judged = true;
  if (verified) {
    report.responder = (*verified)->responder();
  } else {
    report.refused = verified.error();
  }
}

// Writes it; gives the exit code.
int conclude(const config::EvidenceArguments& arguments, const Surroundings& surroundings,
             const OcspReport& report) {
  surroundings.out << (arguments.json ? ocsp_json(report) : ocsp_text(report, surroundings.colour));
  return report.refused ? config::kExitRefused : config::kExitOk;
}

Result<pki::CertificatePtr> load_one(const std::string& path) {
  auto certificates = load_certificates(path);
  if (!certificates) return fail(std::move(certificates));
  return certificates->front();
}

// What `ocsp ask` asks, and whom.
struct Question {
  pki::CertificatePtr certificate;
  pki::CertificatePtr issuer;
  std::vector<pki::CertificatePtr> trust;
  std::string url;
};

Result<Question> read_question(const config::EvidenceArguments& arguments) {
  auto certificate = load_one(arguments.certificate);
  if (!certificate) return fail(std::move(certificate));
  auto issuer = load_one(arguments.issuer);
  if (!issuer) return fail(std::move(issuer));
  auto trust = load_certificates(arguments.trust);
  if (!trust) return fail(std::move(trust));
  std::string url = arguments.url;
  if (url.empty() && !(*certificate)->ocsp_urls.empty()) url = (*certificate)->ocsp_urls.front();
  if (url.empty()) {
    return fail(ErrorCode::malformed, Blame::client,
                "the certificate names no OCSP responder: name one with --url");
  }
  if (!pki::is_plain_http(url)) {
    return fail(ErrorCode::malformed, Blame::client, url + ": not an http URL");
  }
  return Question{std::move(*certificate), std::move(*issuer), std::move(*trust), std::move(url)};
}

// Of the certificates at hand the one that the response names as issuer and whom the user trusts,
// directly or by a chain.
pki::Checked<pki::CertificatePtr> trusted_issuer(const pki::ParsedOcspResponse& response,
                                                 const std::vector<pki::CertificatePtr>& trust,
                                                 const std::vector<pki::CertificatePtr>& extra,
                                                 const pki::EvidenceRules& rules) {
  if (response.status != pki::OcspResponseStatus::successful) {
    return pki::refuse(pki::Refusal::not_successful, std::string(to_string(response.status)));
  }
  std::vector<pki::CertificatePtr> all = trust;
  std::ranges::copy(extra, std::back_inserter(all));
  std::string detail = "no certificate of the issuer that it names is at hand";
  for (const auto& candidate : all) {
    if (!pki::cert_id_names_issuer(response.responses.front().cert_id, *candidate)) continue;
    const bool is_trusted = std::ranges::find(trust, candidate) != trust.end();
    const auto chain = pki::build_chain({.leaf = candidate,
                                         .candidates = extra,
                                         .anchors = trust,
                                         .at = rules.at,
                                         .policy = rules.policy});
    if (is_trusted || (chain.is_valid() && candidate->is_ca)) return candidate;
    detail = "its issuer's chain does not end at a trusted certificate";
  }
  return pki::refuse(pki::Refusal::issuer_unknown, std::move(detail));
}

}  // namespace

int run_ocsp_show(const config::EvidenceArguments& arguments, const Surroundings& surroundings) {
  const auto evidence = load_ocsp(arguments.input);
  if (!evidence) return complain(surroundings, evidence.error().detail, config::kExitUsage);
  return conclude(arguments, surroundings, report_of(*evidence));
}

int run_ocsp_ask(const config::EvidenceArguments& arguments, const Surroundings& surroundings) {
  const auto question = read_question(arguments);
  if (!question) return complain(surroundings, question.error().detail, config::kExitUsage);
  if (surroundings.http == nullptr) {
    return complain(surroundings, "nothing can be fetched", config::kExitUnreachable);
  }
  const auto& [certificate, issuer, trust, url] = *question;
  const auto request = pki::encode_ocsp_request(
      pki::encode_cert_id(pki::CertIdHash::sha1, *issuer, certificate->serial));
  const auto evidence =
      pki::EvidenceFetch(*surroundings.http, surroundings.hash_seed).ocsp(url, request);
  if (evidence.failure) {
    return complain(surroundings, url + ": " + evidence.failure->detail, config::kExitUnreachable);
  }
  if (evidence.malformed) {
    return complain(surroundings, url + ": " + evidence.malformed->detail, config::kExitUsage);
  }
  if (!arguments.output.empty()) {
    const auto kept = write_output(arguments.output, evidence.ocsp->der.text());
    if (!kept) return complain(surroundings, kept.error().detail, config::kExitUsage);
  }
  auto verified = pki::verify_ocsp_response(evidence.ocsp, *issuer, trust,
                                            time_of(arguments, surroundings), policy_of(arguments));
  if (verified && (*verified)->find(*issuer, certificate->serial) == nullptr) {
    verified = pki::refuse(pki::Refusal::cert_id_mismatch, "it answers for other certificates");
  }
  OcspReport report = report_of(evidence);
  note(report, verified);
  return conclude(arguments, surroundings, report);
}

int run_ocsp_verify(const config::EvidenceArguments& arguments, const Surroundings& surroundings) {
  const auto evidence = load_ocsp(arguments.input);
  if (!evidence) return complain(surroundings, evidence.error().detail, config::kExitUsage);
  const auto trust = load_certificates(arguments.trust);
  if (!trust) return complain(surroundings, trust.error().detail, config::kExitUsage);
  const auto extra = load_certificates(arguments.extra);
  if (!extra) return complain(surroundings, extra.error().detail, config::kExitUsage);
  pki::EvidenceRules rules;
  rules.at = time_of(arguments, surroundings);
  rules.policy = policy_of(arguments);
  OcspReport report = report_of(*evidence);
  const auto issuer = trusted_issuer(*evidence->ocsp, *trust, *extra, rules);
  if (!issuer) {
    report.judged = true;
    report.refused = issuer.error();
    return conclude(arguments, surroundings, report);
  }
  // A trusted CA is no responder for other CAs by that; one that says so is.
  std::vector<pki::CertificatePtr> responders;
  std::ranges::copy_if(*trust, std::back_inserter(responders), [](const auto& certificate) {
    return certificate->extended_key_usage.has_value() &&
           certificate->has_extended_key_usage(pki::kOcspSigningOid);
  });
  note(report,
       pki::verify_ocsp_response(evidence->ocsp, **issuer, responders, rules.at, rules.policy));
  return conclude(arguments, surroundings, report);
}

}  // namespace revcache::commands
