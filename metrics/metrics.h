// Every metric in one file. Each loop counts in its own LoopMetrics; MetricsCollector
// (metrics/collector.h) adds them up when Prometheus asks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/object_kind.h"
#include "metrics/counter.h"

namespace revcache::metrics {

enum class RequestResult : std::uint8_t {
  hit,
  stale,
  revalidated,
  collapsed,
  miss,
  negative,
  synthesized,
  bypass,
  denied,
  error
};
inline constexpr std::size_t kRequestResults = 10;
std::string_view to_string(RequestResult result) noexcept;

// Labels of `method`: the methods worth telling apart, all others are "other".
enum class MethodLabel : std::uint8_t { get, head, post, connect, options, other };
inline constexpr std::size_t kMethodLabels = 6;
std::string_view to_string(MethodLabel method) noexcept;

enum class TierLabel : std::uint8_t { memory, disk, shared, origin };
inline constexpr std::size_t kTierLabels = 4;
std::string_view to_string(TierLabel tier) noexcept;

enum class LookupOutcome : std::uint8_t { hit, stale, miss, error };
inline constexpr std::size_t kLookupOutcomes = 4;
std::string_view to_string(LookupOutcome outcome) noexcept;

enum class UpstreamOutcome : std::uint8_t {
  ok,
  not_modified,
  client_error,
  server_error,
  timed_out,
  unreachable,
  disconnected,
  malformed,
  refused,
  untrusted
};
inline constexpr std::size_t kUpstreamOutcomes = 10;
std::string_view to_string(UpstreamOutcome outcome) noexcept;

enum class UpstreamPhase : std::uint8_t { dns, connect, tls, first_byte, body };
inline constexpr std::size_t kUpstreamPhases = 5;
std::string_view to_string(UpstreamPhase phase) noexcept;

// Limits of the configuration that turn a client away or cut it off, each counted when hit.
enum class Limit : std::uint8_t {
  connections,
  connections_per_client,
  header_bytes,
  header_fields,
  target_bytes,
  body_bytes,
  header_timeout,
  body_timeout,
  idle_timeout,
  write_timeout,
  requests_per_connection,
  upstream_connections,
  upstream_queue,
  collapse_waiters,
  object_bytes,
  tunnels,
  background_queue,
  checks
};
inline constexpr std::size_t kLimits = 18;
std::string_view to_string(Limit limit) noexcept;

enum class Denial : std::uint8_t { client, destination, address, method, connect, loop };
inline constexpr std::size_t kDenials = 6;
std::string_view to_string(Denial reason) noexcept;

enum class StoreRejection : std::uint8_t {
  not_cacheable,
  too_large,
  malformed,
  untrusted,
  disk_error
};
inline constexpr std::size_t kStoreRejections = 5;
std::string_view to_string(StoreRejection reason) noexcept;

// Why what is stored could not answer. unknown_ca: cold, and what upstream then gave is a CRL or an
// OCSP answer that nobody known here vouches for, so that it is no evidence either. purged: removed
// on purpose, by a purge, an invalidation (RFC 9111 4.4) or a revocation that contradicts it.
enum class MissCause : std::uint8_t { cold, expired, evicted, nonce, unknown_ca, purged };
inline constexpr std::size_t kMissCauses = 6;
std::string_view to_string(MissCause cause) noexcept;

// Why there was no signature. key, token: a private key from a file, or inside a PKCS#11 token,
// gave an error. expired, unusable: it was not tried, as the signer's certificate, or one that it
// needs, has ended, or the signer could not be read, may not sign for that authority, or is not
// valid yet.
enum class SigningFailure : std::uint8_t { key, token, expired, unusable };
inline constexpr std::size_t kSigningFailures = 4;
std::string_view to_string(SigningFailure reason) noexcept;

inline constexpr std::size_t kUpstreamLabelsMax = 32;  // configured patterns; the last is "other"

// The OCSP responder. Rules are those of revocation/answer_policy.h, by their number there.
inline constexpr std::size_t kAuthorityLabelsMax = 32;  // configured ones; the last is "other"
inline constexpr std::size_t kAnswerRules = 15;
inline constexpr std::size_t kCertIdHashes = 5;  // SHA-1, SHA-256, SHA-384, SHA-512, other

template <class T, std::size_t... Sizes>
struct TableOf;
template <class T, std::size_t Size>
struct TableOf<T, Size> {
  using type = std::array<T, Size>;
};
template <class T, std::size_t Size, std::size_t... Rest>
struct TableOf<T, Size, Rest...> {
  using type = std::array<typename TableOf<T, Rest...>::type, Size>;
};
// Table<Counter, 2, 3> t; t[i][j].add();
template <class T, std::size_t... Sizes>
using Table = typename TableOf<T, Sizes...>::type;

template <class Enum>
constexpr std::size_t index(Enum value) noexcept {
  return static_cast<std::size_t>(value);
}

// The counters of one loop: written by its thread only, read by the scrape.
struct LoopMetrics {
  Table<Counter, kObjectKinds, kMethodLabels, kRequestResults> requests;
  Table<LatencyHistogram, kObjectKinds, kRequestResults> request_duration;
  std::array<Counter, 600> responses_by_status;  // index: status code
  Table<Counter, kObjectKinds> response_bytes;
  Table<Counter, kObjectKinds> upstream_response_bytes;
  Gauge requests_in_flight;
  Gauge client_connections;
  Counter client_connections_accepted;
  Table<Counter, kLimits> limits_hit;
  Table<Counter, kDenials> denials;

  Table<Counter, kObjectKinds, kTierLabels, kLookupOutcomes> cache_lookups;
  Table<Counter, kObjectKinds, kStoreRejections> store_rejections;
  Table<Counter, kObjectKinds, kMissCauses> misses;
  Table<Counter, kObjectKinds> collapsed_requests;
  Table<LatencyHistogram, kObjectKinds> collapse_wait;

  Table<Counter, kUpstreamLabelsMax, kUpstreamOutcomes> upstream_requests;
  Table<LatencyHistogram, kUpstreamLabelsMax, kUpstreamPhases> upstream_duration;
  // Wall time in milliseconds since 1970; 0: never.
  Table<Gauge, kUpstreamLabelsMax> upstream_answered_at;
  Table<Gauge, kUpstreamLabelsMax> upstream_failed_at;
  Gauge upstream_connections;
  Counter upstream_retries;
  Counter access_log_lines_dropped;

  Table<Counter, kAuthorityLabelsMax, kAnswerRules> ocsp_answers;         // given to clients
  Table<Counter, kAuthorityLabelsMax, kAnswerRules> synthesis_decisions;  // that were signed
  Counter ocsp_malformed;
  Table<Counter, kAuthorityLabelsMax> ocsp_nonces;
  Table<Counter, kCertIdHashes> cert_id_hashes;
  Table<LatencyHistogram, kAuthorityLabelsMax> signing_duration;  // from asked for to signed
  Table<Counter, kAuthorityLabelsMax, kSigningFailures> signing_failures;
  Table<Counter, kAuthorityLabelsMax> signing_shed;  // over the queue or the budget
  Table<Gauge, kAuthorityLabelsMax> signing_queue;   // waiting or being signed
  Gauge ready_answers;

  LoopLagHistogram loop_lag;  // of the loop itself: filled by net::EventLoop
};

}  // namespace revcache::metrics
