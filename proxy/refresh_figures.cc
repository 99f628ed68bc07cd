#include "proxy/refresh_figures.h"

#include <algorithm>
#include <utility>

#include "metrics/families.h"

namespace revcache::proxy {

namespace {

constexpr std::string_view kNobody = "other";

using AuthorityByUrl = RefreshFigures::AuthorityByUrl;

AuthorityByUrl with_known(AuthorityByUrl authorities, const revocation::Snapshot& known) {
  for (const auto& issuer : known.issuers()) {
    for (const auto& held : issuer.crls) authorities.emplace(held.url, issuer.authority);
  }
  return authorities;
}

std::string_view authority_of(std::string_view url, const AuthorityByUrl& configured,
                              const revocation::Snapshot& known) {
  if (const auto found = configured.find(url); found != configured.end()) return found->second;
  for (const auto& issuer : known.issuers()) {
    for (const auto& held : issuer.crls) {
      if (held.url == url) return issuer.authority;
    }
  }
  return kNobody;
}

struct Plan {
  WallTime next_run = WallTime::max();
  std::uint32_t failures = 0;
};

// Of each authority: the URL that is next, and the one that fails longest.
std::map<std::string_view, Plan> plans(const RefreshFigures::UrlStates& states,
                                       const AuthorityByUrl& authorities) {
  std::map<std::string_view, Plan> plans;
  for (const auto& state : states) {
    const auto found = authorities.find(state.url);
    Plan& plan = plans[found == authorities.end() ? kNobody : std::string_view(found->second)];
    plan.next_run = std::min(plan.next_run, state.next_attempt);
    plan.failures = std::max(plan.failures, state.consecutive_failures);
  }
  return plans;
}

}  // namespace

void RefreshFigures::configure(AuthorityByUrl configured) {
  state_.with([&](State& state) {
    // So that rates start from 0.
    for (const auto& [url, authority] : configured) state.runs.try_emplace(authority);
    state.configured = std::move(configured);
  });
}

void RefreshFigures::count(std::string_view url, revocation::RefreshOutcome outcome,
                           const revocation::Snapshot& known) {
  state_.with([&](State& state) {
    auto& runs = state.runs[std::string(authority_of(url, state.configured, known))];
    ++runs[static_cast<std::size_t>(outcome)];
  });
}

void RefreshFigures::publish(UrlStates states) {
  auto published = std::make_shared<const UrlStates>(std::move(states));
  // The old ones are freed without the lock.
  state_.with([&](State& state) { state.states.swap(published); });
}

std::shared_ptr<const RefreshFigures::UrlStates> RefreshFigures::states() const {
  return state_.with([](const State& state) { return state.states; });
}

std::vector<prometheus::MetricFamily> RefreshFigures::families(
    const revocation::Snapshot& known) const {
  const State state = state_.with([](const State& current) { return current; });
  auto runs = metrics::counter_family("revcache_prefetch_runs_total",
                                      "Attempts to renew a CRL before anyone waits for it.");
  for (const auto& [authority, counts] : state.runs) {
    for (std::size_t outcome = 0; outcome < kOutcomes; ++outcome) {
      const auto name = revocation::to_string(static_cast<revocation::RefreshOutcome>(outcome));
      runs.add({{"ca", authority}, {"outcome", name}}, counts[outcome]);
    }
  }
  auto next = metrics::gauge_family("revcache_prefetch_next_run_timestamp_seconds",
                                    "Unix time of the next attempt at a CRL of the authority.");
  auto failures = metrics::gauge_family("revcache_prefetch_consecutive_failures",
                                        "Attempts in a row that gave no evidence, at the CRL of "
                                        "the authority that fails longest.");
  const AuthorityByUrl authorities = with_known(state.configured, known);
  for (const auto& [authority, plan] : plans(*state.states, authorities)) {
    const auto at = static_cast<double>(plan.next_run.time_since_epoch().count()) / 1000.0;
    next.add({{"ca", authority}}, at);
    failures.add({{"ca", authority}}, static_cast<double>(plan.failures));
  }
  std::vector<prometheus::MetricFamily> families;
  std::move(runs).move_to(families);
  std::move(next).move_to(families);
  std::move(failures).move_to(families);
  return families;
}

}  // namespace revcache::proxy
