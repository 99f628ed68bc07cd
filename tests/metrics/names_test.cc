#include <gtest/gtest.h>

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "metrics/metrics.h"

namespace revcache::metrics {
namespace {

// Label values are settled: dashboards and alerts are written against them.
template <class Enum>
std::string all_names(std::size_t count) {
  std::string names;
  std::set<std::string_view> seen;
  for (std::size_t at = 0; at < count; ++at) {
    const std::string_view name = to_string(static_cast<Enum>(at));
    EXPECT_TRUE(seen.insert(name).second) << name;
    names += (at == 0 ? "" : " ") + std::string(name);
  }
  EXPECT_EQ(to_string(static_cast<Enum>(count)), "unknown");
  return names;
}

TEST(MetricNames, EachEnumeratorIsItsOwnLabel) {
  EXPECT_EQ(all_names<RequestResult>(kRequestResults),
            "hit stale revalidated collapsed miss negative synthesized bypass denied error");
  EXPECT_EQ(all_names<MethodLabel>(kMethodLabels), "get head post connect options other");
  EXPECT_EQ(all_names<TierLabel>(kTierLabels), "memory disk shared origin");
  EXPECT_EQ(all_names<LookupOutcome>(kLookupOutcomes), "hit stale miss error");
  EXPECT_EQ(all_names<UpstreamOutcome>(kUpstreamOutcomes),
            "ok not_modified client_error server_error timed_out unreachable disconnected "
            "malformed refused untrusted");
  EXPECT_EQ(all_names<UpstreamPhase>(kUpstreamPhases), "dns connect tls first_byte body");
  EXPECT_EQ(all_names<Denial>(kDenials), "client destination address method connect loop");
  EXPECT_EQ(all_names<StoreRejection>(kStoreRejections),
            "not_cacheable too_large malformed untrusted disk_error");
  EXPECT_EQ(all_names<MissCause>(kMissCauses), "cold expired evicted nonce unknown_ca purged");
  EXPECT_EQ(all_names<SigningFailure>(kSigningFailures), "key token expired unusable");
  EXPECT_EQ(all_names<Limit>(kLimits),
            "connections connections_per_client header_bytes header_fields target_bytes body_bytes "
            "header_timeout body_timeout idle_timeout write_timeout requests_per_connection "
            "upstream_connections upstream_queue collapse_waiters object_bytes tunnels "
            "background_queue checks");
}

}  // namespace
}  // namespace revcache::metrics
