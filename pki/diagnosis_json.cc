#include "pki/diagnosis_json.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <optional>
#include <vector>

#include "pki/asn1_time.h"
#include "pki/distinguished_name.h"
#include "pki/evidence_text.h"

namespace revcache::pki {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kIndent = 2;

Json optional_time(const std::optional<WallSeconds>& time) {
  return time ? Json(rfc3339(*time)) : Json(nullptr);
}

Json optional_text(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

std::string hresult_text(std::uint32_t hresult) {
  char text[16];
  static_cast<void>(std::snprintf(text, sizeof text, "0x%08X", static_cast<unsigned>(hresult)));
  return text;
}

Json nps_json(const NpsVerdict& nps) {
  Json json;
  json["verdict"] = nps.accepts ? "accept" : "deny";
  json["reason_code"] = nps.accepts ? Json(nullptr) : Json(nps.reason_code);
  json["hresult"] = nps.accepts ? Json(nullptr) : Json(hresult_text(nps.hresult));
  json["client_error"] = nps.accepts ? Json(nullptr) : Json(nps.client_error);
  json["text"] = nps.text;
  return json;
}

Json urls_json(const std::vector<DistributionPoint>& points) {
  Json json = Json::array();
  for (const auto& point : points) {
    for (const auto& url : point.urls) json.push_back(url);
  }
  return json;
}

Json evidence_json(const JudgedEvidence& judged, const Certificate& subject,
                   const Certificate* issuer) {
  const auto facts = facts_of(judged, subject, issuer);
  const auto& evidence = judged.evidence;
  Json json;
  json["kind"] = facts.kind;
  json["url"] = evidence.source;
  json["number"] = optional_text(facts.number);
  json["this_update"] = optional_time(facts.this_update);
  json["next_update"] = optional_time(facts.next_update);
  json["cache_status"] = optional_text(evidence.cache_status);
  json["elapsed_ms"] = evidence.elapsed_ms ? Json(*evidence.elapsed_ms) : Json(nullptr);
  json["refused"] = judged.refused ? Json(to_string(judged.refused->reason)) : Json(nullptr);
  json["error"] = evidence.failure ? Json(evidence.failure->detail) : Json(nullptr);
  return json;
}

Json finding_json(const Finding& finding) {
  Json json;
  json["id"] = finding.id;
  json["severity"] = to_string(finding.severity);
  json["reference"] = finding.reference;
  json["text"] = finding.text;
  json["fix"] = finding.fix;
  return json;
}

Json certificate_json(const CertificateDiagnosis& one, const Certificate* issuer) {
  const Certificate& certificate = *one.link.certificate;
  const bool revoked = one.status == CertificateStatus::revoked;
  Json json;
  json["role"] = to_string(one.link.role);
  json["subject"] = name_text(certificate.subject);
  json["issuer"] = name_text(certificate.issuer);
  json["serial"] = serial_text(certificate.serial);
  json["sha256"] = hex(sha256(certificate.der.bytes()));
  json["cdp"] = urls_json(certificate.crl_distribution_points);
  json["ocsp"] = certificate.ocsp_urls;
  json["status"] = to_string(one.status);
  json["source"] = to_string(one.source);
  json["revoked_at"] = optional_time(one.revoked_at);
  json["reason"] = revoked ? Json(to_string(one.reason)) : Json(nullptr);
  json["evidence"] = Json::array();
  for (const auto& judged : one.evidence) {
    json["evidence"].push_back(evidence_json(judged, certificate, issuer));
  }
  json["findings"] = Json::array();
  for (const auto& finding : one.findings) json["findings"].push_back(finding_json(finding));
  return json;
}

}  // namespace

std::string diagnosis_json(const Diagnosis& diagnosis) {
  Json json;
  json["schema"] = 1;
  json["result"] = to_string(diagnosis.result);
  json["at"] = rfc3339(std::chrono::floor<std::chrono::seconds>(diagnosis.at));
  json["profile"] = to_string(diagnosis.profile);
  json["nps"] = nps_json(diagnosis.nps);
  json["chain"] = Json::array();
  for (std::size_t at = 0; at < diagnosis.chain.size(); ++at) {
    const bool has_issuer = at + 1 < diagnosis.chain.size();
    const auto* issuer = has_issuer ? diagnosis.chain[at + 1].link.certificate.get() : nullptr;
    json["chain"].push_back(certificate_json(diagnosis.chain[at], issuer));
  }
  return json.dump(kIndent, ' ', true, Json::error_handler_t::replace) + '\n';
}

}  // namespace revcache::pki
