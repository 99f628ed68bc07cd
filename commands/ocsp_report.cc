#include "commands/ocsp_report.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>

#include "commands/terminal_text.h"
#include "pki/asn1_time.h"
#include "pki/distinguished_name.h"
#include "pki/evidence_text.h"

namespace revcache::commands {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLabelWidth = 20;
constexpr int kIndent = 2;

std::string_view hash_name(pki::CertIdHash hash) {
  constexpr std::array<std::string_view, 5> kNames{"sha1", "sha256", "sha384", "sha512", "other"};
  return kNames.at(static_cast<std::size_t>(hash));
}

std::string_view responder_name(pki::ResponderKind kind) {
  constexpr std::array<std::string_view, 3> kNames{"issuer", "delegated", "trusted"};
  return kNames.at(static_cast<std::size_t>(kind));
}

Json optional_time(const std::optional<WallSeconds>& time) {
  return time ? Json(pki::rfc3339(*time)) : Json(nullptr);
}

Json optional_text(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json single_json(const pki::SingleResponse& single) {
  const bool revoked = single.status == pki::OcspCertStatus::revoked;
  Json json;
  json["serial"] = pki::serial_text(single.cert_id.serial);
  json["hash"] = hash_name(single.cert_id.hash);
  json["issuer_name_hash"] = pki::hex(single.cert_id.issuer_name_hash);
  json["issuer_key_hash"] = pki::hex(single.cert_id.issuer_key_hash);
  json["status"] = to_string(single.status);
  json["revoked_at"] = revoked ? Json(pki::rfc3339(single.revoked_at)) : Json(nullptr);
  json["reason"] = revoked ? Json(to_string(single.reason)) : Json(nullptr);
  json["this_update"] = pki::rfc3339(single.this_update);
  json["next_update"] = optional_time(single.next_update);
  return json;
}

std::string responder_id(const pki::ParsedOcspResponse& response) {
  if (!response.responder_name.empty()) return pki::name_text(response.responder_name);
  return "key " + pki::hex(response.responder_key_hash);
}

bool is_successful(const pki::ParsedOcspResponse& response) {
  return response.status == pki::OcspResponseStatus::successful;
}

class TextReport {
 public:
  TextReport(const OcspReport& report, bool colour) : report_(report), colour_(colour) {}

  std::string write() {
    const auto& response = *report_.response;
    line("OCSP response", report_.source);
    line("response status", to_string(response.status));
    if (is_successful(response)) {
      line("responder", responder_id(response));
      line("produced at", pki::rfc3339(response.produced_at));
      line("signature algorithm", pki::algorithm_name(response.signature_algorithm));
      if (response.nonce) line("nonce", pki::hex(*response.nonce));
      for (const auto& oid : response.unknown_critical_extensions) line("unknown, critical", oid);
      for (const auto& certificate : response.certificates) {
        line("certificate", pki::name_text(certificate->subject));
      }
      for (const auto& single : response.responses) about(single);
    }
    line("Cache-Status", report_.cache_status);
    if (report_.judged) verdict();
    return std::move(out_);
  }

 private:
  void line(std::string_view label, std::string_view value) {
    if (value.empty()) return;
    std::string padded(label);
    padded.resize(std::max(label.size(), kLabelWidth), ' ');
    out_ += padded + printable(value) + '\n';
  }

  void about(const pki::SingleResponse& single) {
    std::string status(to_string(single.status));
    if (single.status == pki::OcspCertStatus::revoked) {
      status += " since " + pki::rfc3339(single.revoked_at) + ", ";
      status += to_string(single.reason);
    }
    line("serial", pki::serial_text(single.cert_id.serial) + " (CertID by " +
                       std::string(hash_name(single.cert_id.hash)) + ')');
    line("  status", status);
    line("  this update", pki::rfc3339(single.this_update));
    line("  next update", single.next_update ? pki::rfc3339(*single.next_update) : "none");
  }

  void verdict() {
    if (!report_.refused) {
      const auto who = responder_name(*report_.responder);
      out_ += styled("accepted", Style::good, colour_) + ": signed by the " + std::string(who) +
              (*report_.responder == pki::ResponderKind::issuer ? "" : " responder") + '\n';
      return;
    }
    out_ += styled("refused", Style::bad, colour_) + ": " +
            std::string(to_string(report_.refused->reason)) + ": " +
            printable(report_.refused->detail) + '\n';
  }

  const OcspReport& report_;
  bool colour_;
  std::string out_;
};

}  // namespace

std::string ocsp_text(const OcspReport& report, bool colour) {
  return TextReport(report, colour).write();
}

std::string ocsp_json(const OcspReport& report) {
  const auto& response = *report.response;
  const bool successful = is_successful(response);
  Json json;
  json["schema"] = 1;
  json["kind"] = "ocsp";
  json["source"] = report.source;
  json["response_status"] = to_string(response.status);
  json["responder"] = successful ? Json(responder_id(response)) : Json(nullptr);
  json["produced_at"] = successful ? Json(pki::rfc3339(response.produced_at)) : Json(nullptr);
  json["signature_algorithm"] =
      successful ? Json(pki::algorithm_name(response.signature_algorithm)) : Json(nullptr);
  json["nonce"] = response.nonce ? Json(pki::hex(*response.nonce)) : Json(nullptr);
  json["responses"] = Json::array();
  for (const auto& single : response.responses) json["responses"].push_back(single_json(single));
  json["certificates"] = Json::array();
  for (const auto& certificate : response.certificates) {
    json["certificates"].push_back(pki::name_text(certificate->subject));
  }
  json["cache_status"] = optional_text(report.cache_status);
  json["elapsed_ms"] = report.elapsed_ms ? Json(*report.elapsed_ms) : Json(nullptr);
  if (report.judged) {
    json["accepted"] = !report.refused.has_value();
    json["signed_by"] = report.responder ? Json(responder_name(*report.responder)) : Json(nullptr);
    json["refused"] = report.refused ? Json(to_string(report.refused->reason)) : Json(nullptr);
    json["detail"] = report.refused ? Json(report.refused->detail) : Json(nullptr);
  }
  return json.dump(kIndent, ' ', true, Json::error_handler_t::replace) + '\n';
}

}  // namespace revcache::commands
