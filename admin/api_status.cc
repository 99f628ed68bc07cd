#include "admin/api_status.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "admin/api.h"
#include "admin/api_json.h"
#include "pki/asn1_time.h"

namespace revcache::admin {
namespace {

WallSeconds seconds_of(WallTime time) { return std::chrono::floor<std::chrono::seconds>(time); }

Json time_json(WallTime time) { return pki::rfc3339(seconds_of(time)); }

Json optional_time(const std::optional<WallTime>& time) {
  return time ? time_json(*time) : Json(nullptr);
}

using admin::optional_time;

// What has ended has none left.
Json time_left(const std::optional<WallSeconds>& until, WallTime now) {
  if (!until) return nullptr;
  return std::max<std::int64_t>(0, (*until - seconds_of(now)).count());
}

Json text_or_null(std::string_view text) { return text.empty() ? Json(nullptr) : Json(text); }

template <class Number>
Json optional_number(const std::optional<Number>& number) {
  return number ? Json(*number) : Json(nullptr);
}

Json reasons_json(const std::vector<Reason>& reasons) {
  Json all = Json::array();
  for (const Reason& reason : reasons) {
    all.push_back({{"severity", to_string(reason.severity)},
                   {"authority", text_or_null(reason.authority)},
                   {"text", reason.text},
                   {"runbook", text_or_null(reason.runbook)}});
  }
  return all;
}

Json evidence_json(const EvidenceStatus& evidence, WallTime now) {
  Json validity = nullptr;
  if (evidence.this_update && evidence.next_update) {
    validity = (*evidence.next_update - *evidence.this_update).count();
  }
  return {{"kind", to_string(evidence.kind)},
          {"usable", evidence.usable},
          {"crls", evidence.crls},
          {"this_update", optional_time(evidence.this_update)},
          {"next_update", optional_time(evidence.next_update)},
          {"next_publish", optional_time(evidence.next_publish)},
          {"fetched_at", optional_time(evidence.fetched_at)},
          {"time_left_seconds", time_left(evidence.next_update, now)},
          {"validity_seconds", std::move(validity)}};
}

Json signer_json(const std::optional<SignerStatus>& signer) {
  if (!signer) return nullptr;
  return {{"name", signer->name},
          {"usable", signer->usable},
          {"problem", text_or_null(signer->problem)},
          {"not_after", optional_time(signer->not_after)}};
}

Json authority_json(const AuthorityStatus& authority, WallTime now) {
  const RefreshStatus& refresh = authority.refresh;
  return {{"name", authority.name},
          {"subject", text_or_null(authority.subject)},
          {"key", text_or_null(authority.key)},
          {"required", authority.required},
          {"answered_for", authority.answered_for},
          {"status", to_string(authority.status)},
          {"reasons", reasons_json(authority.reasons)},
          {"evidence", evidence_json(authority.evidence, now)},
          {"refresh",
           {{"urls", refresh.urls},
            {"next_run", optional_time(refresh.next_run)},
            {"consecutive_failures", refresh.consecutive_failures}}},
          {"signer", signer_json(authority.signer)},
          {"revoked_by_hand", authority.revoked_by_hand}};
}

Json authorities_json(const StatusReport& report) {
  Json all = Json::array();
  for (const auto& authority : report.authorities) {
    all.push_back(authority_json(authority, report.now));
  }
  return all;
}

Json tier_json(const TierStatus& tier) {
  return {{"bytes", tier.bytes}, {"bytes_max", tier.bytes_max}, {"entries", tier.entries}};
}

Json window_json(const metrics::LatencyWindow& window) {
  Json by_result = Json::object();
  for (std::size_t at = 0; at < window.by_result.size(); ++at) {
    const auto name = metrics::to_string(static_cast<metrics::RequestResult>(at));
    by_result[std::string(name)] = window.by_result[at];
  }
  return {{"seconds", window.seconds},
          {"requests", window.requests},
          {"p50", optional_number(window.percentiles.p50)},
          {"p90", optional_number(window.percentiles.p90)},
          {"p99", optional_number(window.percentiles.p99)},
          {"p999", optional_number(window.percentiles.p999)},
          {"by_result", std::move(by_result)},
          {"hit_ratio", optional_number(window.hit_ratio)}};
}

Json latency_json(const metrics::LatencyReport& latency) {
  using metrics::RequestResult;
  Json series = Json::array();
  for (const metrics::LatencyStep& step : latency.series) {
    series.push_back({{"at", time_json(step.at)},
                      {"seconds", step.seconds},
                      {"requests", step.requests},
                      {"p50", optional_number(step.percentiles.p50)},
                      {"p99", optional_number(step.percentiles.p99)},
                      {"misses", step.by_result[metrics::index(RequestResult::miss)]},
                      {"errors", step.by_result[metrics::index(RequestResult::error)]}});
  }
  return {{"minute", window_json(latency.minute)},
          {"hour", window_json(latency.hour)},
          {"series", std::move(series)}};
}

Json crl_json(const CrlStatus& crl, WallTime now) {
  return {{"url", crl.url},
          {"label", crl.label},
          {"authority", crl.authority},
          {"issuer", crl.issuer},
          {"kind", to_string(crl.kind)},
          {"number", text_or_null(crl.number)},
          {"this_update", pki::rfc3339(crl.this_update)},
          {"next_update", optional_time(crl.next_update)},
          {"next_publish", optional_time(crl.next_publish)},
          {"fetched_at", optional_time(crl.fetched_at)},
          {"time_left_seconds", time_left(crl.next_update, now)},
          {"entries", crl.entries},
          {"bytes", crl.bytes},
          {"sha256", text_or_null(crl.sha256)},
          {"next_run", optional_time(crl.next_run)},
          {"consecutive_failures", optional_number(crl.consecutive_failures)}};
}

// Lines of a text: "at risk: …".
std::string reason_lines(const std::vector<Reason>& reasons) {
  std::string text;
  for (const Reason& reason : reasons) {
    text += (reason.severity == Verdict::no ? "no: " : "at risk: ") + reason.text + '\n';
  }
  return text;
}

}  // namespace

Answer status_answer(const StatusReport& report) {
  Json json{
      {"version", report.version},
      {"now", time_json(report.now)},
      {"started_at", time_json(report.started_at)},
      {"ready", report.waiting_for.empty()},
      {"waiting_for", report.waiting_for},
      {"verdict",
       {{"answer", to_string(report.verdict)}, {"reasons", reasons_json(report.reasons)}}},
      {"authorities", authorities_json(report)},
      {"clock", {{"behind", report.clock_behind}, {"floor", optional_time(report.clock_floor)}}},
      {"connections", {{"clients", report.connections}, {"in_flight", report.requests_in_flight}}},
      {"cache",
       {{"memory", tier_json(report.memory)},
        {"disk", report.disk ? tier_json(*report.disk) : Json(nullptr)}}},
      {"latency", latency_json(report.latency)}};
  return json_answer(json);
}

Answer authorities_answer(const StatusReport& report) {
  return json_answer({{"authorities", authorities_json(report)}});
}

Answer crls_answer(const StatusReport& report) {
  Json crls = Json::array();
  for (const CrlStatus& crl : report.crls) crls.push_back(crl_json(crl, report.now));
  Json answers = Json::array();
  for (const HeldAnswerStatus& answer : report.answers) {
    answers.push_back({{"authority", answer.authority},
                       {"serial", answer.serial},
                       {"status", "good"},
                       {"this_update", pki::rfc3339(answer.this_update)},
                       {"next_update", pki::rfc3339(answer.next_update)},
                       {"url", text_or_null(answer.url)}});
  }
  Json not_held = Json::array();
  for (const SilentUrlStatus& url : report.not_held) {
    not_held.push_back({{"url", url.url},
                        {"authority", text_or_null(url.authority)},
                        {"consecutive_failures", url.consecutive_failures},
                        {"next_run", time_json(url.next_run)},
                        {"detail", text_or_null(url.detail)}});
  }
  return json_answer(
      {{"crls", std::move(crls)}, {"ocsp", std::move(answers)}, {"not_held", std::move(not_held)}});
}

Answer upstreams_answer(const StatusReport& report) {
  Json all = Json::array();
  for (const UpstreamStatus& upstream : report.upstreams) {
    Json requests = Json::object();
    for (const auto& [outcome, count] : upstream.requests) requests[outcome] = count;
    all.push_back({{"name", upstream.name},
                   {"up", optional_number(upstream.up)},
                   {"last_success", optional_time(upstream.answered)},
                   {"requests", std::move(requests)},
                   {"p50", optional_number(upstream.p50)},
                   {"p99", optional_number(upstream.p99)}});
  }
  return json_answer({{"upstreams", std::move(all)}});
}

Answer config_answer(const ShownConfig& config) {
  auto json = Json::parse(config.json, nullptr, false);
  if (json.is_discarded()) return api_error(500, "the settings cannot be shown");
  return json_answer({{"source", text_or_null(config.source)}, {"config", std::move(json)}});
}

Answer health_answer(const Done<StatusReport>& report, std::string_view authority) {
  if (!report) return {.status = 503, .body = report.error().text + '\n'};
  const auto found = std::ranges::find(report->authorities, authority, &AuthorityStatus::name);
  if (found == report->authorities.end()) {
    return {.status = 404, .body = "no [[authority]] has this name\n"};
  }
  std::vector<Reason> reasons;
  Verdict worst = found->status;
  for (const Reason& reason : report->reasons) {
    if (!reason.authority.empty() && reason.authority != authority) continue;
    // URLs that are nobody's say nothing of this authority.
    if (reason.authority.empty() && reason.severity != Verdict::no) continue;
    worst = std::max(worst, reason.severity);
    reasons.push_back(reason);
  }
  if (worst == Verdict::no) return {.status = 503, .body = reason_lines(reasons)};
  return {.body = (reasons.empty() ? "ok\n" : "ok\n" + reason_lines(reasons))};
}

}  // namespace revcache::admin
