#include "pki/evidence_fetch.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "pki/crl.h"
#include "pki/ocsp_response.h"

namespace revcache::pki {
namespace {

constexpr std::size_t kOcspGetBytesMax = 255;  // RFC 5019 section 5: the encoded request
constexpr std::uint16_t kOk = 200;

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(left, right, {}, lower, lower);
}

// RFC 6960 A.1: {url}/{url-encoding of base-64 encoding of the DER}.
std::string get_url(const std::string& url, std::string_view request) {
  std::string out = url;
  if (!out.ends_with('/')) out += '/';
  out += base64_in_path(as_bytes(request));
  return out;
}

// The first line of what a server says about its refusal: revcache's own name the setting.
std::string explanation(const HttpAnswer& answer) {
  constexpr std::size_t kShown = 200;
  if (!answer.content_type.starts_with("text/plain")) return {};
  const auto line = answer.body.text().substr(0, answer.body.text().find_first_of("\r\n"));
  return line.empty() ? std::string() : ": " + std::string(line.substr(0, kShown));
}

Error status_error(const HttpAnswer& answer) {
  return {ErrorCode::unreachable, Blame::upstream,
          "status " + std::to_string(answer.status) + explanation(answer)};
}

Evidence started(EvidenceKind kind, const std::string& url) {
  Evidence evidence;
  evidence.kind = kind;
  evidence.source = url;
  evidence.fetched = true;
  return evidence;
}

void note_answer(Evidence& evidence, const HttpAnswer& answer) {
  evidence.cache_status = answer.cache_status;
  evidence.elapsed_ms = answer.elapsed_ms;
}

bool is_settled(const Certificate& subject, const CertificatePtr& issuer, const Evidence& evidence,
                const EvidenceRules& rules) {
  const auto verdict = judge_evidence(subject, issuer, {&evidence, 1}, rules);
  return verdict.status != CertificateStatus::unknown;
}

}  // namespace

bool is_plain_http(std::string_view url) noexcept {
  constexpr std::string_view kScheme = "http://";
  return url.size() > kScheme.size() &&
         equals_ignoring_case(url.substr(0, kScheme.size()), kScheme);
}

std::vector<CertificatePtr> EvidenceFetch::issuers_of(const Certificate& certificate) {
  std::vector<CertificatePtr> all;
  std::size_t asked = 0;
  for (const std::string& url : certificate.ca_issuer_urls) {
    if (!is_plain_http(url) || asked++ == kUrlsPerCertificateMax || !all.empty()) continue;
    HttpQuestion question{.url = url,
                          .kind = ObjectKind::aia,
                          .body_bytes_max = kCertificateBytesMax,
                          .post = std::nullopt,
                          .post_type = {}};
    const auto answer = http_.ask(question);
    if (!answer || answer->status != kOk) continue;
    auto parsed = parse_certificates(answer->body.text());
    if (parsed) std::ranges::move(*parsed, std::back_inserter(all));
  }
  return all;
}

std::vector<Evidence> EvidenceFetch::about(const Certificate& subject, const CertificatePtr& issuer,
                                           const EvidenceRules& rules) {
  std::vector<Evidence> all;
  add_crls(subject, issuer, rules, all);
  add_deltas(subject, all);
  add_ocsp(subject, issuer, rules, all);
  return all;
}

void EvidenceFetch::add_crls(const Certificate& subject, const CertificatePtr& issuer,
                             const EvidenceRules& rules, std::vector<Evidence>& all) {
  for (const auto& point : subject.crl_distribution_points) {
    if (point.has_crl_issuer || point.has_reasons) continue;
    for (const std::string& url : point.urls) {
      if (!is_plain_http(url)) continue;
      if (all.size() == kUrlsPerCertificateMax) return;
      all.push_back(crl(url));
      if (is_settled(subject, issuer, all.back(), rules)) break;
    }
  }
}

// 4.2.1.15 and 5.2.6: the certificate or its complete CRL says where the delta is.
void EvidenceFetch::add_deltas(const Certificate& subject, std::vector<Evidence>& all) {
  std::vector<std::string> urls;
  const auto add = [&](const std::string& url) {
    if (is_plain_http(url) && std::ranges::find(urls, url) == urls.end()) urls.push_back(url);
  };
  for (const auto& point : subject.freshest_crl) std::ranges::for_each(point.urls, add);
  for (const auto& evidence : all) {
    if (evidence.crl) std::ranges::for_each(evidence.crl->freshest_crl_urls, add);
  }
  for (const std::string& url : urls) {
    if (all.size() == kUrlsPerCertificateMax) return;
    all.push_back(crl(url));
  }
}

void EvidenceFetch::add_ocsp(const Certificate& subject, const CertificatePtr& issuer,
                             const EvidenceRules& rules, std::vector<Evidence>& all) {
  if (subject.ocsp_urls.empty()) return;
  const std::string request =
      encode_ocsp_request(encode_cert_id(CertIdHash::sha1, *issuer, subject.serial));
  for (const std::string& url : subject.ocsp_urls) {
    if (!is_plain_http(url)) continue;
    if (all.size() >= kUrlsPerCertificateMax) return;
    all.push_back(ocsp(url, request));
    if (is_settled(subject, issuer, all.back(), rules)) return;
  }
}

Evidence EvidenceFetch::crl(const std::string& url) {
  if (const auto known = crls_.find(url); known != crls_.end()) return known->second;
  auto evidence = started(EvidenceKind::crl, url);
  const HttpQuestion question{.url = url,
                              .kind = ObjectKind::crl,
                              .body_bytes_max = kFetchedCrlBytesMax,
                              .post = std::nullopt,
                              .post_type = {}};
  auto answer = http_.ask(question);
  if (!answer) {
    evidence.failure = std::move(answer.error());
  } else if (note_answer(evidence, *answer); answer->status != kOk) {
    evidence.failure = status_error(*answer);
  } else {
    auto der = crl_der(std::move(answer->body));
    auto parsed = der ? parse_crl(std::move(*der), hash_seed_)
                      : Checked<ParsedCrlPtr>(std::unexpected(der.error()));
    if (parsed) {
      evidence.crl = std::move(*parsed);
    } else {
      evidence.malformed = std::move(parsed.error());
    }
  }
  crls_.emplace(url, evidence);
  return evidence;
}

Evidence EvidenceFetch::ask_responder(const HttpQuestion& question, const std::string& url) {
  auto evidence = started(EvidenceKind::ocsp, url);
  auto answer = http_.ask(question);
  if (!answer) {
    evidence.failure = std::move(answer.error());
    return evidence;
  }
  note_answer(evidence, *answer);
  if (answer->status != kOk) {
    evidence.failure = status_error(*answer);
    return evidence;
  }
  auto parsed = parse_ocsp_response(std::move(answer->body));
  if (parsed) {
    evidence.ocsp = std::move(*parsed);
  } else {
    evidence.malformed = std::move(parsed.error());
  }
  return evidence;
}

Evidence EvidenceFetch::ocsp(const std::string& url, std::string_view request) {
  HttpQuestion question{.url = get_url(url, request),
                        .kind = ObjectKind::ocsp,
                        .body_bytes_max = kOcspResponseBytesMax,
                        .post = std::nullopt,
                        .post_type = {}};
  std::optional<Evidence> by_get;
  if (question.url.size() - url.size() <= kOcspGetBytesMax) {
    by_get = ask_responder(question, url);
    const bool successful = by_get->ocsp && by_get->ocsp->status == OcspResponseStatus::successful;
    // A host that cannot be reached by GET cannot by POST: only an answer makes it worth trying.
    const bool no_answer = by_get->failure && !by_get->elapsed_ms;
    if (successful || no_answer) return std::move(*by_get);
  }
  question.url = url;
  question.post = std::string(request);
  question.post_type = "application/ocsp-request";
  auto by_post = ask_responder(question, url);
  const bool better = by_post.ocsp || !by_get || !by_get->ocsp;
  return better ? std::move(by_post) : std::move(*by_get);
}

}  // namespace revcache::pki
