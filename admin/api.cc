#include "admin/api.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "admin/api_check.h"
#include "admin/api_json.h"
#include "admin/api_purge.h"
#include "admin/api_status.h"
#include "base/base64.h"
#include "config/patterns.h"
#include "pki/asn1_time.h"

namespace revcache::admin {
namespace {

enum class Takes : std::uint8_t {
  read,      // GET
  question,  // POST for its body: reads like GET, but is too long for a query
  change,    // POST, with the token
};

struct NamedCall {
  std::string_view path;
  ApiCall call;
  Takes takes;
  std::string_view about;
};

constexpr std::array<NamedCall, 15> kCalls{{
    {"/api/v1/status", ApiCall::status, Takes::read, "can NPS authenticate, and why not"},
    {"/api/v1/authorities", ApiCall::authorities, Takes::read,
     "each [[authority]]: evidence, signer"},
    {"/api/v1/crls", ApiCall::crls, Takes::read, "CRLs and OCSP answers that are held"},
    {"/api/v1/upstreams", ApiCall::upstreams, Takes::read, "each destination: up, requests, times"},
    {"/api/v1/config", ApiCall::config, Takes::read, "effective settings, secrets masked"},
    {"/api/v1/floor/reset", ApiCall::floor_reset, Takes::change,
     R"({"authority"}: forget what was newest)"},
    {"/api/v1/revoke", ApiCall::revoke, Takes::change,
     R"({"authority", "serial", "reason", "note"})"},
    {"/api/v1/unrevoke", ApiCall::unrevoke, Takes::change, R"({"authority", "serial"})"},
    {"/api/v1/revoked", ApiCall::revoked, Takes::read, "manual and declared revocations"},
    {"/api/v1/refresh", ApiCall::refresh, Takes::change,
     R"({"url"}, {"authority"} or {}: fetch now)"},
    {"/api/v1/purge", ApiCall::purge, Takes::change,
     R"({"url"}, {"authority"} or {"all": true}, "dry_run": remove from the cache)"},
    {"/api/v1/audit", ApiCall::audit, Takes::read, "?entries=N: the last changes, newest first"},
    {"/api/v1/decisions", ApiCall::decisions, Takes::read,
     "?entries=N: the last answers that were signed, newest first"},
    {"/api/v1/explain", ApiCall::explain, Takes::question,
     R"({"certificate": base64, "authority"}: what would be answered, and why)"},
    {"/api/v1/check", ApiCall::check, Takes::question,
     R"({"chain": base64 of PEM, DER or PKCS#7, "profile"}: what NPS would say, and why)"},
}};

constexpr std::string_view kNoteOfRevocation =
    "From now on revcache answers revoked for this serial. Windows may go on using an OCSP answer "
    "or "
    "a CRL that it already has until the nextUpdate of that; the cache resync of the Windows kit "
    "makes it ask again. Who reads the CA's own CRL sees a revocation only once the CA publishes "
    "it.";

// The members of a body: strings, each of a known name.
class Members {
 public:
  static std::expected<Members, Answer> read(std::string_view body,
                                             std::initializer_list<std::string_view> known) {
    auto json = Json::parse(body, nullptr, false);
    if (json.is_discarded() || !json.is_object()) {
      return std::unexpected(api_error(400, "the body is no JSON object"));
    }
    for (const auto& [name, value] : json.items()) {
      if (std::ranges::find(known, name) == known.end()) {
        return std::unexpected(api_error(400, '"' + name + "\" is no member of this request"));
      }
      if (!value.is_string()) {
        return std::unexpected(api_error(400, '"' + name + "\" is to be a string"));
      }
    }
    return Members(std::move(json));
  }

  [[nodiscard]] std::string text(const char* name) const { return json_.value(name, ""); }

 private:
  explicit Members(Json json) : json_(std::move(json)) {}
  Json json_;
};

std::expected<std::string, Answer> authority_of(const Members& members) {
  auto authority = members.text("authority");
  if (authority.empty()) return std::unexpected(api_error(400, "\"authority\" is missing"));
  return authority;
}

std::expected<SerialOfAuthority, Answer> serial_of(const Members& members) {
  auto authority = authority_of(members);
  if (!authority) return std::unexpected(std::move(authority).error());
  auto serial = config::parse_serial(members.text("serial"));
  if (!serial) return std::unexpected(api_error(400, "serial: " + serial.error()));
  return SerialOfAuthority{std::move(*authority), std::move(*serial)};
}

Answer answer_floor_reset(const ApiRequest& request, std::string_view body,
                          Operations& operations) {
  const auto members = Members::read(body, {"authority"});
  if (!members) return members.error();
  const auto authority = authority_of(*members);
  if (!authority) return authority.error();
  const auto removed = operations.reset_floors(*authority, request.by);
  if (!removed) return problem_answer(removed.error());
  return json_answer({{"authority", *authority}, {"floors_removed", *removed}});
}

Answer answer_revoke(const ApiRequest& request, std::string_view body, Operations& operations) {
  const auto members = Members::read(body, {"authority", "serial", "reason", "note"});
  if (!members) return members.error();
  auto what = serial_of(*members);
  if (!what) return what.error();
  const auto given = members->text("reason");
  const auto reason = config::parse_reason(given.empty() ? "unspecified" : given);
  if (!reason) return api_error(400, "reason: " + reason.error());
  RevocationOrder order{.what = std::move(*what),
                        .reason = pki::crl_reason(*reason).value_or(pki::CrlReason::unspecified),
                        .note = members->text("note")};
  if (order.note.size() > kNoteBytesMax) return api_error(400, "note: more than 1024 octets");
  const auto receipt = operations.revoke(order, request.by);
  if (!receipt) return problem_answer(receipt.error());
  return json_answer({{"authority", order.what.authority},
                      {"serial", order.what.serial},
                      {"reason", *reason},
                      {"revoked_at", pki::rfc3339(receipt->revoked_at)},
                      {"crls_valid_until", optional_time(receipt->crls_valid_until)},
                      {"answers_valid_until", optional_time(receipt->answers_valid_until)},
                      {"loops_behind", receipt->loops_behind},
                      {"clients", kNoteOfRevocation}});
}

Answer answer_unrevoke(const ApiRequest& request, std::string_view body, Operations& operations) {
  const auto members = Members::read(body, {"authority", "serial"});
  if (!members) return members.error();
  const auto what = serial_of(*members);
  if (!what) return what.error();
  const auto lifted = operations.unrevoke(*what, request.by);
  if (!lifted) return problem_answer(lifted.error());
  return json_answer({{"authority", what->authority}, {"serial", what->serial}});
}

Answer answer_revoked(Operations& operations) {
  const auto listed = operations.revoked();
  if (!listed) return problem_answer(listed.error());
  Json all = Json::array();
  for (const ListedRevocation& one : *listed) {
    all.push_back({{"authority", one.authority.empty() ? Json(nullptr) : Json(one.authority)},
                   {"issuer_key", one.issuer_key},
                   {"serial", one.serial},
                   {"reason", pki::to_string(one.reason)},
                   {"revoked_at", pki::rfc3339(one.revoked_at)},
                   {"note", one.note},
                   {"declared", one.declared}});
  }
  return json_answer({{"revoked", std::move(all)}});
}

// "entries=20"; nullopt: something else.
std::optional<std::size_t> entries_asked_for(std::string_view query) {
  if (query.empty()) return kEntriesDefault;
  static constexpr std::string_view kName = "entries=";
  if (!query.starts_with(kName)) return std::nullopt;
  query.remove_prefix(kName.size());
  std::size_t entries = 0;
  const auto read = std::from_chars(query.data(), query.data() + query.size(), entries);
  const bool whole = read.ec == std::errc() && read.ptr == query.data() + query.size();
  if (!whole || entries == 0 || entries > kEntriesMax) return std::nullopt;
  return entries;
}

Answer answer_entries(const ApiRequest& request, Operations& operations) {
  const auto entries_max = entries_asked_for(request.query);
  if (!entries_max) return api_error(400, "the query is to be entries=N, N from 1 to 1000");
  const auto entries = request.call == ApiCall::audit ? operations.audit(*entries_max)
                                                      : operations.decisions(*entries_max);
  if (!entries) return problem_answer(entries.error());
  Json all = Json::array();
  for (const std::string& entry : *entries) {
    auto json = Json::parse(entry, nullptr, false);
    all.push_back(json.is_discarded() ? Json(entry) : std::move(json));
  }
  return json_answer({{"entries", std::move(all)}});
}

Answer answer_report(ApiCall call, Operations& operations) {
  const auto report = operations.status();
  if (!report) return problem_answer(report.error());
  if (call == ApiCall::authorities) return authorities_answer(*report);
  if (call == ApiCall::crls) return crls_answer(*report);
  if (call == ApiCall::upstreams) return upstreams_answer(*report);
  return status_answer(*report);
}

Answer answer_config(Operations& operations) {
  const auto config = operations.shown_config();
  return config ? config_answer(*config) : problem_answer(config.error());
}

Answer answer_explain(std::string_view body, Operations& operations) {
  const auto members = Members::read(body, {"certificate", "authority"});
  if (!members) return members.error();
  auto der = from_base64(members->text("certificate"));
  if (!der || der->empty()) return api_error(400, "certificate: to be DER in base64");
  auto certificate = pki::parse_certificate(SharedBytes::take(*std::move(der)));
  if (!certificate) return api_error(400, "certificate: " + certificate.error().detail);
  const auto explained = operations.explain(
      {.certificate = *std::move(certificate), .authority = members->text("authority")});
  if (!explained) return problem_answer(explained.error());
  auto json = Json::parse(revocation::to_json(explained->record));
  const std::string_view found_by =
      explained->signature_holds ? "signature" : "name and key identifier";
  json["issuer"] = explained->issuer.empty() ? Json(nullptr) : Json(explained->issuer);
  json["issuer_by"] = explained->issuer.empty() ? Json(nullptr) : Json(found_by);
  json["unused_evidence"] = Json::array();
  for (const UnusedEvidence& unused : explained->unused) {
    json["unused_evidence"].push_back({{"kind", unused.kind},
                                       {"number", unused.number},
                                       {"reason", unused.reason},
                                       {"detail", unused.detail}});
  }
  return json_answer(json);
}

bool is_json(const http::RequestHead& head) {
  std::string_view type = head.fields.find(http::FieldId::content_type).value_or("");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return http::equals_ignoring_case(type, kJson);
}

std::optional<Answer> refuse_method(const http::RequestHead& head, const NamedCall& named) {
  const bool reads = head.method == http::Method::get || head.method == http::Method::head;
  const bool takes_post = named.takes != Takes::read;
  if (takes_post ? head.method == http::Method::post : reads) return std::nullopt;
  Answer answer = api_error(405, takes_post ? "this call takes POST" : "this call takes GET");
  answer.fields.emplace_back("Allow", takes_post ? "POST" : "GET, HEAD");
  return answer;
}

}  // namespace

Answer api_error(std::uint16_t status, std::string_view text) {
  return refusal("/api/", status, text);
}

std::size_t body_bytes_max(ApiCall call) noexcept {
  return call == ApiCall::check ? kCheckBodyBytesMax : kApiBodyBytesMax;
}

Answer too_long(ApiCall call) {
  return api_error(
      413, "the body is longer than " + std::to_string(body_bytes_max(call) / 1024) + " KiB");
}

std::string api_index() {
  std::string text;
  for (const NamedCall& named : kCalls) {
    std::string line = (named.takes == Takes::read ? "GET  " : "POST ") + std::string(named.path);
    line.resize(27, ' ');
    text += line + std::string(named.about) + '\n';
  }
  return text;
}

std::expected<ApiRequest, Answer> decide_api(const http::RequestHead& head, const Asked& asked,
                                             const AccessRules& rules) {
  const auto* const named = std::ranges::find(kCalls, asked.path, &NamedCall::path);
  if (named == kCalls.end())
    return std::unexpected(api_error(404, "no such call; /api/v1 lists them"));
  if (auto refused = refuse_method(head, *named)) return std::unexpected(*std::move(refused));
  if (named->takes == Takes::change) {
    if (auto refused = refuse_change(head, asked, rules)) {
      return std::unexpected(*std::move(refused));
    }
  }
  if (head.has_body()) {
    if (named->takes == Takes::read)
      return std::unexpected(api_error(413, "this call takes no body"));
    if (!is_json(head)) {
      return std::unexpected(api_error(415, "the body is to be application/json"));
    }
    if (head.content_length > body_bytes_max(named->call)) {
      return std::unexpected(too_long(named->call));
    }
  }
  return ApiRequest{.call = named->call, .query = asked.query, .by = {}};
}

Answer answer_call(const ApiRequest& request, std::string_view body, Operations& operations) {
  switch (request.call) {
    case ApiCall::status:
    case ApiCall::authorities:
    case ApiCall::crls:
    case ApiCall::upstreams:
      return answer_report(request.call, operations);
    case ApiCall::config:
      return answer_config(operations);
    case ApiCall::floor_reset:
      return answer_floor_reset(request, body, operations);
    case ApiCall::revoke:
      return answer_revoke(request, body, operations);
    case ApiCall::unrevoke:
      return answer_unrevoke(request, body, operations);
    case ApiCall::revoked:
      return answer_revoked(operations);
    case ApiCall::audit:
    case ApiCall::decisions:
      return answer_entries(request, operations);
    case ApiCall::explain:
      return answer_explain(body, operations);
    case ApiCall::purge:
      return answer_purge(request, body, operations);
    case ApiCall::refresh:
    case ApiCall::check:
      break;
  }
  return api_error(500, "this call is answered elsewhere");
}

std::expected<RefreshTarget, Answer> read_refresh_target(std::string_view body) {
  const auto members = Members::read(body, {"url", "authority"});
  if (!members) return std::unexpected(members.error());
  RefreshTarget target{.url = members->text("url"), .authority = members->text("authority")};
  if (!target.url.empty() && !target.authority.empty()) {
    return std::unexpected(api_error(400, "either \"url\" or \"authority\", not both"));
  }
  if (target.url.empty()) return target;
  const auto uri = config::parse_url(target.url);
  if (!uri) return std::unexpected(api_error(400, "url: " + uri.error()));
  target.url = uri->text();
  return target;
}

Answer refresh_answer(const Done<std::vector<RefreshedUrl>>& done) {
  if (!done) return problem_answer(done.error());
  Json all = Json::array();
  for (const RefreshedUrl& one : *done) {
    all.push_back({{"url", one.url},
                   {"outcome", one.outcome},
                   {"detail", one.detail},
                   {"this_update", optional_time(one.this_update)},
                   {"next_update", optional_time(one.next_update)}});
  }
  return json_answer({{"refreshed", std::move(all)}});
}

}  // namespace revcache::admin
