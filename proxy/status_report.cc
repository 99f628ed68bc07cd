#include "proxy/status_report.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>

#include "config/command_line.h"
#include "pki/distinguished_name.h"
#include "pki/signature.h"
#include "proxy/certificate_file.h"
#include "proxy/revocation_figures.h"
#include "proxy/status_figures.h"

namespace revcache::proxy {

namespace {

using admin::AuthorityStatus;
using admin::CrlKind;
using admin::CrlStatus;
using admin::EvidenceKind;
using admin::EvidenceStatus;
using admin::StatusReport;
using revocation::HeldCrl;
using revocation::Issuer;
using revocation::Snapshot;
using UrlState = revocation::Refresher::UrlState;

// What the refresher knows, by URL.
using UrlIndex = std::map<std::string_view, const UrlState*>;

WallSeconds seconds_of(WallTime time) { return std::chrono::floor<std::chrono::seconds>(time); }

CrlStatus crl_status(const Issuer& issuer, const HeldCrl& held, const pki::VerifiedCrl& crl) {
  CrlStatus status;
  status.url = held.url;
  status.label = crl_label(held.url);
  status.authority = issuer.authority;
  status.issuer = pki::name_text(issuer.certificate->subject);
  status.own = issuer.is_authority;
  if (crl->is_delta()) {
    status.kind = CrlKind::delta;
  } else if (crl->scope.has_distribution_point) {
    status.kind = CrlKind::partition;
  }
  if (!crl->number.empty()) status.number = pki::hex(crl->number);
  status.this_update = crl->this_update;
  status.next_update = crl->next_update;
  status.next_publish = crl->next_publish;
  status.usable_until = crl->is_delta() ? held.delta_usable_until : held.usable_until;
  status.entries = crl->entries;
  status.bytes = crl->der.text().size();
  status.sha256 = pki::hex(crl.hash());
  return status;
}

void add_refresh(const UrlIndex& urls, CrlStatus& status) {
  const auto found = urls.find(status.url);
  if (found == urls.end()) return;
  status.fetched_at = found->second->last_success;
  status.next_run = found->second->next_attempt;
  status.consecutive_failures = found->second->consecutive_failures;
}

void add_crls(const Snapshot& known, const UrlIndex& urls, StatusReport& report) {
  for (const Issuer& issuer : known.issuers()) {
    for (const HeldCrl& held : issuer.crls) {
      add_refresh(urls, report.crls.emplace_back(crl_status(issuer, held, *held.complete)));
      // Its own URL is not kept: when it was fetched is not known.
      if (held.delta != nullptr) report.crls.push_back(crl_status(issuer, held, *held.delta));
    }
    if (issuer.answers == nullptr) continue;
    for (const auto& answer : issuer.answers->all()) {
      report.answers.push_back({.authority = issuer.authority,
                                .serial = pki::hex(as_bytes(answer->serial)),
                                .this_update = answer->this_update,
                                .next_update = answer->next_update,
                                .url = answer->url});
    }
  }
}

// Of `ends`, the usable one that ends first; when none is usable, what ended last. nullptr: empty.
template <class Evidence, class End>
const Evidence* decisive(const std::vector<const Evidence*>& all, const End& end, WallSeconds now) {
  const Evidence* chosen = nullptr;
  for (const Evidence* one : all) {
    if (chosen == nullptr) {
      chosen = one;
    } else if (end(*chosen) > now) {
      if (end(*one) > now && end(*one) < end(*chosen)) chosen = one;
    } else if (end(*one) > end(*chosen)) {
      chosen = one;
    }
  }
  return chosen;
}

void judge_by_crls(const StatusReport& report, const std::string& authority, WallSeconds now,
                   EvidenceStatus& evidence) {
  std::vector<const CrlStatus*> own;
  std::vector<const CrlStatus*> below;
  for (const CrlStatus& crl : report.crls) {
    if (crl.authority != authority || crl.kind == CrlKind::delta) continue;
    (crl.own ? own : below).push_back(&crl);
  }
  evidence.crls = own.size();
  // Those of the CAs below say nothing of what the authority itself issued; they are shown where
  // nobody needs more.
  const auto& shown = own.empty() && !evidence.needed ? below : own;
  const auto end = [](const CrlStatus& crl) { return crl.usable_until; };
  const CrlStatus* const crl = decisive(shown, end, now);
  if (crl == nullptr) return;
  evidence.kind = EvidenceKind::crl;
  evidence.usable = now < crl->usable_until;
  evidence.this_update = crl->this_update;
  evidence.next_update = crl->next_update;
  evidence.next_publish = crl->next_publish;
  evidence.fetched_at = crl->fetched_at;
}

void judge_by_answers(const StatusReport& report, const std::string& authority, WallSeconds now,
                      EvidenceStatus& evidence) {
  std::vector<const admin::HeldAnswerStatus*> held;
  for (const auto& answer : report.answers) {
    if (answer.authority == authority) held.push_back(&answer);
  }
  const auto end = [](const admin::HeldAnswerStatus& answer) { return answer.next_update; };
  const auto* const answer = decisive(held, end, now);
  if (answer == nullptr) return;
  evidence.kind = EvidenceKind::ocsp;
  evidence.usable = now < answer->next_update;
  evidence.this_update = answer->this_update;
  evidence.next_update = answer->next_update;
}

void judge_by_attestations(const config::Authority& authority, WallSeconds now,
                           EvidenceStatus& evidence) {
  std::vector<const config::Attestation*> all;
  for (const auto& attestation : authority.attest) all.push_back(&attestation);
  const auto end = [](const config::Attestation& one) { return WallSeconds(one.until); };
  const auto* const attestation = decisive(all, end, now);
  if (attestation == nullptr) return;
  evidence.kind = EvidenceKind::attestation;
  evidence.usable = now < WallSeconds(attestation->until);
  evidence.next_update = WallSeconds(attestation->until);
}

EvidenceStatus evidence_of(const config::Authority& authority, const Issuer* issuer,
                           const StatusReport& report) {
  const WallSeconds now = seconds_of(report.now);
  EvidenceStatus evidence;
  evidence.needed =
      !authority.signer.empty() || !authority.crls.empty() || !authority.attest.empty();
  evidence.crls_configured = authority.crls.size();
  if (issuer != nullptr) evidence.crls_configured_held = issuer->configured_crls_held;
  judge_by_crls(report, authority.name, now, evidence);
  if (evidence.kind != EvidenceKind::none || !authority.crls.empty()) return evidence;
  judge_by_attestations(authority, now, evidence);
  if (evidence.kind == EvidenceKind::none) judge_by_answers(report, authority.name, now, evidence);
  return evidence;
}

AuthorityStatus authority_status(const config::Authority& authority, const Snapshot& known,
                                 const StatusReport& report) {
  AuthorityStatus status;
  status.name = authority.name;
  status.required = authority.required;
  status.answered_for = !authority.signer.empty();
  const Issuer* own = nullptr;
  for (const Issuer& issuer : known.issuers()) {
    if (issuer.authority != authority.name) continue;
    status.revoked_by_hand += issuer.manual.size();
    if (issuer.is_authority) own = &issuer;
  }
  status.evidence = evidence_of(authority, own, report);
  if (own != nullptr) {
    status.subject = pki::name_text(own->certificate->subject);
    status.key = pki::hex(own->key);
    status.within_dates = known.chain_is_valid_at(*own, report.now);
  } else if (const auto certificate = read_certificate(authority.certificate)) {
    status.subject = pki::name_text((*certificate)->subject);
    status.key = pki::hex(pki::key_hash(**certificate));
  }
  return status;
}

void add_url(const UrlState& state, admin::RefreshStatus& refresh) {
  ++refresh.urls;
  if (!refresh.next_run || state.next_attempt < *refresh.next_run) {
    refresh.next_run = state.next_attempt;
  }
  if (state.consecutive_failures <= refresh.consecutive_failures) return;
  refresh.consecutive_failures = state.consecutive_failures;
  refresh.failing_url = state.url;
  refresh.detail = state.last_detail;
}

// The authority of each URL that is configured or holds a CRL.
std::map<std::string, std::string, std::less<>> authority_by_url(const Snapshot& known,
                                                                 const config::Config& config) {
  std::map<std::string, std::string, std::less<>> authorities;
  for (const auto& authority : config.authorities) {
    for (const auto& url : authority.crls) authorities.emplace(url.text(), authority.name);
  }
  for (const Issuer& issuer : known.issuers()) {
    for (const HeldCrl& held : issuer.crls) authorities.emplace(held.url, issuer.authority);
  }
  return authorities;
}

void add_refreshes(const Snapshot& known, const RefreshFigures::UrlStates& urls,
                   const config::Config& config, StatusReport& report) {
  const auto authorities = authority_by_url(known, config);
  for (const UrlState& state : urls) {
    const auto found = authorities.find(state.url);
    const std::string name = found == authorities.end() ? std::string() : found->second;
    const auto authority = std::ranges::find(report.authorities, name, &AuthorityStatus::name);
    add_url(state, authority == report.authorities.end() ? report.others : authority->refresh);
    if (state.dates) continue;
    report.not_held.push_back({.url = state.url,
                               .authority = name,
                               .consecutive_failures = state.consecutive_failures,
                               .next_run = state.next_attempt,
                               .detail = state.last_detail});
  }
}

// The words of a signer that may not sign: its own, or what was found about it.
std::string problem_of(const revocation::SignerWatch::SignerStatus& signer, bool may_sign) {
  if (!signer.problem.empty()) return signer.problem;
  if (may_sign) return {};
  for (const auto& finding : signer.findings) {
    if (finding.severity == pki::SignerSeverity::refused) return finding.text;
  }
  return {};
}

}  // namespace

void add_evidence(const Snapshot& known, const RefreshFigures::UrlStates& urls,
                  const config::Config& config, StatusReport& report) {
  UrlIndex index;
  for (const UrlState& state : urls) index.emplace(state.url, &state);
  add_crls(known, index, report);
  for (const config::Authority& authority : config.authorities) {
    report.authorities.push_back(authority_status(authority, known, report));
  }
  add_refreshes(known, urls, config, report);
}

void add_signers(const revocation::ResponderTable& table,
                 const std::vector<revocation::SignerWatch::SignerStatus>& signers,
                 const config::Config& config, StatusReport& report) {
  for (const config::Authority& authority : config.authorities) {
    const auto status =
        std::ranges::find(report.authorities, authority.name, &AuthorityStatus::name);
    if (authority.signer.empty() || status == report.authorities.end()) continue;
    admin::SignerStatus signer{.name = authority.signer, .problem = "it is not in use"};
    const auto* const signing = table.find(authority.name);
    const auto watched =
        std::ranges::find(signers, authority.signer, &revocation::SignerWatch::SignerStatus::name);
    if (signing != nullptr && watched != signers.end()) {
      signer.usable = signing->may_sign && watched->usable;
      signer.problem = problem_of(*watched, signer.usable);
      signer.not_after = signing->signer_not_after;
    }
    status->signer = std::move(signer);
  }
}

StatusReport status_report(const StatusSources& sources, const config::Config& config) {
  StatusReport report;
  report.version = config::version();
  report.now = sources.clock.wall();
  report.started_at = sources.started_at;
  report.waiting_for = sources.waiting_for(config);
  report.state_problem = sources.revocation.state_problem();
  report.clock_behind = sources.revocation.clock_guard().is_behind(report.now);
  report.clock_floor = sources.revocation.clock_guard().floor();
  add_evidence(*sources.revocation.snapshot(), *sources.revocation.refresh_figures().states(),
               config, report);
  add_signers(*sources.signers.table(), sources.signers.signers(), config, report);
  const StatusFigures figures(sources.metrics());
  report.upstreams = figures.upstreams();
  report.connections = figures.sum("revcache_client_connections");
  report.requests_in_flight = figures.sum("revcache_requests_in_flight");
  report.memory = figures.tier("memory", config.cache.memory_bytes);
  if (config.cache.disk_bytes != 0) report.disk = figures.tier("disk", config.cache.disk_bytes);
  report.latency = sources.latency();
  admin::judge(report);
  return report;
}

}  // namespace revcache::proxy
