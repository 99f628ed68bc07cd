#include "bench/generator/cache_result.h"

#include <gtest/gtest.h>

#include <ostream>

namespace revcache::bench {
namespace {

struct Case {
  const char* cache_status;
  const char* x_cache_status;
  const char* x_cache;
  CacheResult result;
  bool waited;
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.cache_status << '|' << one.x_cache_status << '|' << one.x_cache;
}

class CacheResultOf : public testing::TestWithParam<Case> {};

TEST_P(CacheResultOf, TheFieldsOfAnAnswer) {
  const Case& one = GetParam();
  const CacheResult result = cache_result_of({.cache_status = one.cache_status,
                                              .x_cache_status = one.x_cache_status,
                                              .x_cache = one.x_cache});
  EXPECT_EQ(kCacheResultNames[static_cast<std::size_t>(result)],
            kCacheResultNames[static_cast<std::size_t>(one.result)]);
  EXPECT_EQ(waited_for_upstream(result), one.waited);
}

INSTANTIATE_TEST_SUITE_P(
    Table, CacheResultOf,
    testing::Values(
        Case{"", "", "", CacheResult::none, false},
        Case{"revcache; hit; ttl=86400", "", "", CacheResult::hit, false},
        Case{"revcache; hit; ttl=-20", "", "", CacheResult::stale, false},
        Case{"revcache; hit; detail=negative", "", "", CacheResult::negative, false},
        Case{"revcache; fwd=uri-miss; fwd-status=200; ttl=9; stored", "", "", CacheResult::miss,
             true},
        Case{"revcache; fwd=stale; fwd-status=304; ttl=9", "", "", CacheResult::revalidated, true},
        Case{"revcache; fwd=stale; fwd-status=200; ttl=9", "", "", CacheResult::miss, true},
        Case{"revcache; fwd=uri-miss; collapsed", "", "", CacheResult::collapsed, true},
        Case{"revcache; fwd=stale; ttl=-9; detail=stale-if-error", "", "", CacheResult::stale_error,
             true},
        Case{"revcache; fwd=bypass", "", "", CacheResult::bypass, true},
        Case{"revcache", "", "", CacheResult::none, false},
        // RFC 9211 2: the cache nearest to the client comes last.
        Case{"CDN; hit, revcache; fwd=uri-miss", "", "", CacheResult::miss, true},
        Case{"\"a, b; hit\"; fwd=miss", "", "", CacheResult::miss, true},
        Case{"x; hit=?0; fwd=miss", "", "", CacheResult::miss, true},
        Case{"", "HIT", "", CacheResult::hit, false},
        Case{"", "EXPIRED", "", CacheResult::miss, true},
        Case{"", "UPDATING", "", CacheResult::stale, false},
        Case{"", "", "HIT from proxy.example", CacheResult::hit, false},
        Case{"", "", "TCP_MISS from edge", CacheResult::miss, true},
        Case{"", "", "no idea", CacheResult::none, false}));

}  // namespace
}  // namespace revcache::bench
