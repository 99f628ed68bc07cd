// What an administrator asks first: can NPS authenticate now, and if not, why. The facts of the
// running instance at one moment (proxy/status_report gathers them), and judge(), which is pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "metrics/latency_window.h"

namespace revcache::admin {

// The same values as the alerts of deploy/prometheus/revcache.rules.yml have; a test compares them.
inline constexpr std::chrono::hours kCrlEndsSoon{24};
inline constexpr std::chrono::hours kCrlEndsNow{4};
// A CRL that lives for less than twice the warning time would always be within it.
inline constexpr int kCrlLifetimeFactor = 2;
inline constexpr std::chrono::hours kPublicationLate{1};
inline constexpr std::uint32_t kRefreshFailures = 3;  // in a row
inline constexpr std::chrono::days kSignerEndsSoon{14};

enum class Verdict : std::uint8_t { yes, at_risk, no };  // in order of badness
std::string_view to_string(Verdict verdict) noexcept;    // the enumerator's name

struct Reason {
  Verdict severity = Verdict::at_risk;  // at_risk or no
  std::string authority{};              // empty: the whole instance
  std::string text{};                   // a sentence
  std::string_view runbook{};           // anchor in docs/operations.md
};

enum class EvidenceKind : std::uint8_t { none, crl, ocsp, attestation };
std::string_view to_string(EvidenceKind kind) noexcept;  // the enumerator's name

// What stands for an authority's own statement about its certificates.
struct EvidenceStatus {
  EvidenceKind kind = EvidenceKind::none;  // what there is, also of what has ended
  // Somebody relies on it: it is configured, or the authority is answered for.
  bool needed = false;
  bool usable = false;
  std::size_t crls = 0;  // the authority's own that are held; delta CRLs do not count
  // CRLs that are configured, all of which together are the authority's, and those held of them.
  std::size_t crls_configured = 0;
  std::size_t crls_configured_held = 0;
  // Of the usable evidence that ends first; when none is, of what ended last.
  std::optional<WallSeconds> this_update{};
  std::optional<WallSeconds> next_update{};
  std::optional<WallSeconds> next_publish{};
  std::optional<WallTime> fetched_at{};
};

// Of the CRL URLs of an authority and of the CAs below it.
struct RefreshStatus {
  std::size_t urls = 0;
  std::optional<WallTime> next_run{};
  std::uint32_t consecutive_failures = 0;  // of the URL that fails longest, which is:
  std::string failing_url{};
  std::string detail{};  // why
};

struct SignerStatus {
  std::string name{};
  bool usable = false;
  std::string problem{};  // empty: none
  std::optional<WallSeconds> not_after{};
};

struct AuthorityStatus {
  std::string name{};
  std::string subject{};  // empty: its certificate could not be read
  std::string key{};      // SHA-256 in hex
  bool required = true;
  bool answered_for = false;
  bool within_dates = true;  // its own certificate
  EvidenceStatus evidence{};
  RefreshStatus refresh{};
  std::optional<SignerStatus> signer{};
  std::size_t revoked_by_hand = 0;
  // By judge().
  Verdict status = Verdict::yes;
  std::vector<Reason> reasons{};
};

enum class CrlKind : std::uint8_t { full, partition, delta };
std::string_view to_string(CrlKind kind) noexcept;  // the enumerator's name

struct CrlStatus {
  std::string url{};        // a delta CRL: of the complete one that it completes
  std::string label{};      // of the metrics
  std::string authority{};  // at the end of the issuer's chain
  std::string issuer{};     // subject of the CA that signed it
  bool own = false;         // the issuer is the authority itself
  CrlKind kind = CrlKind::full;
  std::string number{};  // hex; empty: none
  WallSeconds this_update{};
  std::optional<WallSeconds> next_update{};
  std::optional<WallSeconds> next_publish{};
  WallSeconds usable_until{};  // nextUpdate and the authority's grace
  std::optional<WallTime> fetched_at{};
  std::size_t entries = 0;
  std::size_t bytes = 0;
  std::string sha256{};
  std::optional<WallTime> next_run{};
  std::optional<std::uint32_t> consecutive_failures{};  // nullopt: the refresher has no such URL
};

// An OCSP answer of an authority's own responder that is held as evidence. They all say good.
struct HeldAnswerStatus {
  std::string authority{};
  std::string serial{};
  WallSeconds this_update{};
  WallSeconds next_update{};
  std::string url{};
};

// A URL of the refresher that gave no evidence yet.
struct SilentUrlStatus {
  std::string url{};
  std::string authority{};  // empty: nobody's
  std::uint32_t consecutive_failures = 0;
  WallTime next_run{};
  std::string detail{};
};

struct UpstreamStatus {
  std::string name{};                               // label of the metrics
  std::optional<bool> up{};                         // nullopt: it was not asked yet
  std::optional<WallTime> answered{};               // last
  std::map<std::string, std::uint64_t> requests{};  // by outcome
  // From the request sent to the first octet of the answer.
  std::optional<double> p50{};
  std::optional<double> p99{};
};

struct TierStatus {
  std::uint64_t bytes = 0;
  std::uint64_t bytes_max = 0;
  std::uint64_t entries = 0;
};

struct StatusReport {
  std::string version{};
  WallTime now{};
  WallTime started_at{};
  std::vector<std::string> waiting_for{};  // empty: ready
  std::string state_problem{};             // empty: the state can be read
  bool clock_behind = false;
  std::optional<WallSeconds> clock_floor{};
  std::vector<AuthorityStatus> authorities{};  // as configured
  RefreshStatus others{};                      // of URLs that are no authority's
  std::vector<CrlStatus> crls{};
  std::vector<HeldAnswerStatus> answers{};
  std::vector<SilentUrlStatus> not_held{};
  std::vector<UpstreamStatus> upstreams{};
  std::uint64_t connections = 0;
  std::uint64_t requests_in_flight = 0;
  TierStatus memory{};
  std::optional<TierStatus> disk{};
  metrics::LatencyReport latency{};
  // By judge().
  Verdict verdict = Verdict::yes;
  std::vector<Reason> reasons{};  // of all authorities too; the worst first
};

// Fills status and reasons of each authority, and those of the whole. Pure: all of `report` else is
// read, nothing else.
void judge(StatusReport& report);

}  // namespace revcache::admin
