#include "metrics/metrics.h"

namespace revcache::metrics {
namespace {

// Label values in the order of their enumeration. The size is checked: an enumerator without a name
// does not compile.
template <std::size_t Size>
using Names = std::array<std::string_view, Size>;

template <std::size_t Size>
constexpr bool all_named(const Names<Size>& names) {
  for (const std::string_view name : names) {
    if (name.empty()) return false;
  }
  return true;
}

template <class Enum, std::size_t Size>
std::string_view name_of(Enum value, const Names<Size>& names) noexcept {
  const std::size_t at = index(value);
  return at < Size ? names[at] : std::string_view("unknown");
}

constexpr Names<kRequestResults> kRequestResultNames{
    "hit",      "stale",       "revalidated", "collapsed", "miss",
    "negative", "synthesized", "bypass",      "denied",    "error"};
constexpr Names<kMethodLabels> kMethodNames{"get", "head", "post", "connect", "options", "other"};
constexpr Names<kTierLabels> kTierNames{"memory", "disk", "shared", "origin"};
constexpr Names<kLookupOutcomes> kLookupOutcomeNames{"hit", "stale", "miss", "error"};
constexpr Names<kUpstreamOutcomes> kUpstreamOutcomeNames{
    "ok",          "not_modified", "client_error", "server_error", "timed_out",
    "unreachable", "disconnected", "malformed",    "refused",      "untrusted"};
constexpr Names<kUpstreamPhases> kUpstreamPhaseNames{"dns", "connect", "tls", "first_byte", "body"};
constexpr Names<kLimits> kLimitNames{"connections",
                                     "connections_per_client",
                                     "header_bytes",
                                     "header_fields",
                                     "target_bytes",
                                     "body_bytes",
                                     "header_timeout",
                                     "body_timeout",
                                     "idle_timeout",
                                     "write_timeout",
                                     "requests_per_connection",
                                     "upstream_connections",
                                     "upstream_queue",
                                     "collapse_waiters",
                                     "object_bytes",
                                     "tunnels",
                                     "background_queue",
                                     "checks"};
constexpr Names<kDenials> kDenialNames{"client", "destination", "address",
                                       "method", "connect",     "loop"};
constexpr Names<kStoreRejections> kStoreRejectionNames{"not_cacheable", "too_large", "malformed",
                                                       "untrusted", "disk_error"};
constexpr Names<kMissCauses> kMissCauseNames{"cold",  "expired",    "evicted",
                                             "nonce", "unknown_ca", "purged"};
constexpr Names<kSigningFailures> kSigningFailureNames{"key", "token", "expired", "unusable"};

static_assert(all_named(kRequestResultNames) && all_named(kMethodNames) && all_named(kTierNames) &&
              all_named(kLookupOutcomeNames) && all_named(kUpstreamOutcomeNames) &&
              all_named(kUpstreamPhaseNames) && all_named(kLimitNames) && all_named(kDenialNames) &&
              all_named(kStoreRejectionNames) && all_named(kMissCauseNames) &&
              all_named(kSigningFailureNames));

}  // namespace

std::string_view to_string(RequestResult result) noexcept {
  return name_of(result, kRequestResultNames);
}
std::string_view to_string(MethodLabel method) noexcept { return name_of(method, kMethodNames); }
std::string_view to_string(TierLabel tier) noexcept { return name_of(tier, kTierNames); }
std::string_view to_string(LookupOutcome outcome) noexcept {
  return name_of(outcome, kLookupOutcomeNames);
}
std::string_view to_string(UpstreamOutcome outcome) noexcept {
  return name_of(outcome, kUpstreamOutcomeNames);
}
std::string_view to_string(UpstreamPhase phase) noexcept {
  return name_of(phase, kUpstreamPhaseNames);
}
std::string_view to_string(Limit limit) noexcept { return name_of(limit, kLimitNames); }
std::string_view to_string(Denial reason) noexcept { return name_of(reason, kDenialNames); }
std::string_view to_string(StoreRejection reason) noexcept {
  return name_of(reason, kStoreRejectionNames);
}
std::string_view to_string(MissCause cause) noexcept { return name_of(cause, kMissCauseNames); }
std::string_view to_string(SigningFailure reason) noexcept {
  return name_of(reason, kSigningFailureNames);
}

}  // namespace revcache::metrics
