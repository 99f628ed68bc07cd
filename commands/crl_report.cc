#include "commands/crl_report.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "commands/terminal_text.h"
#include "pki/asn1_time.h"
#include "pki/crl.h"
#include "pki/distinguished_name.h"
#include "pki/evidence_text.h"

namespace revcache::commands {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLabelWidth = 20;

Json optional_time(const std::optional<WallSeconds>& time) {
  return time ? Json(pki::rfc3339(*time)) : Json(nullptr);
}

Json optional_text(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

std::string written(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Json scope_json(const pki::CrlScope& scope) {
  Json json;
  json["distribution_point"] = scope.has_distribution_point;
  json["urls"] = scope.urls;
  json["only_user_certificates"] = scope.only_user_certificates;
  json["only_ca_certificates"] = scope.only_ca_certificates;
  json["only_attribute_certificates"] = scope.only_attribute_certificates;
  json["only_some_reasons"] = scope.only_some_reasons;
  json["indirect"] = scope.indirect;
  return json;
}

Json crl_json(const pki::Evidence& evidence) {
  const auto& crl = *evidence.crl;
  Json json;
  json["schema"] = 1;
  json["kind"] = crl.is_delta() ? "delta_crl" : "crl";
  json["source"] = evidence.source;
  json["issuer"] = pki::name_text(crl.issuer);
  json["version"] = crl.version;
  json["number"] = optional_text(pki::decimal(crl.number));
  json["base_number"] = optional_text(pki::decimal(crl.base_number));
  json["this_update"] = pki::rfc3339(crl.this_update);
  json["next_update"] = optional_time(crl.next_update);
  json["next_publish"] = optional_time(crl.next_publish);
  json["signature_algorithm"] = pki::algorithm_name(crl.signature_algorithm);
  json["authority_key_id"] = optional_text(pki::hex(crl.authority_key_id));
  json["scope"] = crl.scope.extension.empty() ? Json(nullptr) : scope_json(crl.scope);
  json["freshest_crl"] = crl.freshest_crl_urls;
  json["unknown_critical_extensions"] = crl.unknown_critical_extensions;
  json["sha256"] = pki::hex(pki::sha256(crl.der.bytes()));
  json["bytes"] = crl.der.size();
  json["cache_status"] = optional_text(evidence.cache_status);
  json["elapsed_ms"] = evidence.elapsed_ms ? Json(*evidence.elapsed_ms) : Json(nullptr);
  json["entries"] = crl.entries;
  return json;
}

Json entry_json(const pki::RevokedEntry& entry) {
  Json json;
  json["serial"] = pki::serial_text(entry.serial);
  json["revoked_at"] = pki::rfc3339(entry.revoked_at);
  json["reason"] = to_string(entry.reason);
  json["invalidity_date"] = optional_time(entry.invalidity_date);
  return json;
}

void line(std::ostream& out, std::string_view label, std::string_view value) {
  if (value.empty()) return;
  std::string padded(label);
  padded.resize(std::max(label.size(), kLabelWidth), ' ');
  out << padded << printable(value) << '\n';
}

std::string time_text(const std::optional<WallSeconds>& time) {
  return time ? pki::rfc3339(*time) : std::string();
}

std::string scope_text(const pki::CrlScope& scope) {
  if (scope.extension.empty()) return "all certificates of the issuer";
  std::string text;
  const auto add = [&](bool is_so, std::string_view words) {
    if (is_so) text.append(text.empty() ? "" : ", ").append(words);
  };
  add(scope.has_distribution_point, "one distribution point");
  add(scope.only_user_certificates, "only user certificates");
  add(scope.only_ca_certificates, "only CA certificates");
  add(scope.only_attribute_certificates, "only attribute certificates");
  add(scope.only_some_reasons, "only some reasons");
  add(scope.indirect, "indirect");
  return text;
}

}  // namespace

void write_crl_text(std::ostream& out, const pki::Evidence& evidence, bool entries) {
  const auto& crl = *evidence.crl;
  line(out, crl.is_delta() ? "delta CRL" : "CRL", evidence.source);
  line(out, "issuer", pki::name_text(crl.issuer));
  line(out, "number", pki::decimal(crl.number));
  line(out, "based on number", pki::decimal(crl.base_number));
  line(out, "this update", pki::rfc3339(crl.this_update));
  line(out, "next update", crl.next_update ? time_text(crl.next_update) : "none");
  line(out, "next publication", time_text(crl.next_publish));
  line(out, "signature algorithm", pki::algorithm_name(crl.signature_algorithm));
  line(out, "authority key id", pki::hex(crl.authority_key_id));
  line(out, "scope", scope_text(crl.scope));
  for (const auto& url : crl.scope.urls) line(out, "", url);
  for (const auto& url : crl.freshest_crl_urls) line(out, "delta CRL at", url);
  for (const auto& oid : crl.unknown_critical_extensions) line(out, "unknown, critical", oid);
  line(out, "SHA-256", pki::hex(pki::sha256(crl.der.bytes())));
  line(out, "size", std::to_string(crl.der.size()) + " octets");
  line(out, "Cache-Status", evidence.cache_status);
  line(out, "revoked", std::to_string(crl.entries));
  if (!entries) return;
  crl.for_each([&](const pki::RevokedEntry& entry) {
    out << "  " << pki::serial_text(entry.serial) << "  " << pki::rfc3339(entry.revoked_at) << "  "
        << to_string(entry.reason) << '\n';
  });
}

void write_crl_json(std::ostream& out, const pki::Evidence& evidence, bool entries) {
  std::string head = written(crl_json(evidence));
  if (!entries) {
    out << head << '\n';
    return;
  }
  head.pop_back();  // the closing brace: the entries come before it
  out << head << ",\"revoked\":[";
  bool first = true;
  evidence.crl->for_each([&](const pki::RevokedEntry& entry) {
    out << (first ? "\n" : ",\n") << written(entry_json(entry));
    first = false;
  });
  out << "]}\n";
}

}  // namespace revcache::commands
