// What a hit costs beyond HTTP: the key's hash, the look-up, the decision, the rendered fields.
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "cache/cache_key.h"
#include "cache/cache_status.h"
#include "cache/freshness.h"
#include "cache/memory_tier.h"
#include "cache/stored_response.h"
#include "cache/validation.h"

namespace revcache::cache {
namespace {

using std::chrono::seconds;

constexpr WallTime kNow{seconds{1'700'000'000}};
constexpr std::size_t kBodyBytes = 1024;
constexpr std::uint64_t kMemoryBytes = 64ULL << 20U;

std::string key_of(std::size_t number) {
  return "http://primary-cdn.pki.azure.net/centralus/crls/0f1e2d3c4b5a69788796a5b4c3d2e1f0/" +
         std::to_string(number) + "/current.crl";
}

StoredResponse response(std::string key) {
  StoredResponse stored;
  stored.key = std::move(key);
  stored.kind = ObjectKind::crl;
  stored.fields.add(http::FieldId::content_type, "application/pkix-crl");
  stored.fields.add(http::FieldId::etag, "\"0x8DC5A0B1C2D3E4F\"");
  stored.fields.add(http::FieldId::cache_control, "public, max-age=14400");
  stored.fields.add(http::FieldId::last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
  stored.freshness.request_time = kNow;
  stored.freshness.response_time = kNow;
  stored.freshness.lifetime = seconds{14400};
  stored.body = SharedBytes::take(std::string(kBodyBytes, 'x'));
  return stored;
}

void hash_key(benchmark::State& state) {
  const KeyHasher hasher(42);
  const std::string key = key_of(1);
  for (auto _ : state) benchmark::DoNotOptimize(hasher(key));
}
BENCHMARK(hash_key);

// Argument: how many entries there are; all threads ask for all of them.
void find_in_memory(benchmark::State& state) {
  static std::unique_ptr<MemoryTier> tier;
  const auto entries = static_cast<std::size_t>(state.range(0));
  if (state.thread_index() == 0) {
    tier = std::make_unique<MemoryTier>(kMemoryBytes, 42);
    for (std::size_t i = 0; i < entries; ++i) CHECK(tier->put(finish(response(key_of(i)))));
  }
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < entries; ++i) keys.push_back(key_of(i));
  std::size_t next = static_cast<std::size_t>(state.thread_index());
  for (auto _ : state) {
    const StoredResponsePtr found = tier->find(keys[next++ % entries]);
    CHECK(found != nullptr);
  }
}
BENCHMARK(find_in_memory)->Arg(1)->Arg(1000)->Threads(1)->Threads(2)->UseRealTime();

void put_into_full_memory(benchmark::State& state) {
  MemoryTier tier(1U << 20U, 42);
  std::vector<StoredResponsePtr> entries;
  for (std::size_t i = 0; i < 4096; ++i) entries.push_back(finish(response(key_of(i))));
  std::size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(tier.put(entries[next++ % entries.size()]));
}
BENCHMARK(put_into_full_memory);

void decide_fresh(benchmark::State& state) {
  const StoredResponsePtr stored = finish(response(key_of(1)));
  const http::RequestDirectives directives;
  for (auto _ : state) {
    const Decision decision = decide(*stored, directives, kNow + seconds{60});
    CHECK(decision.use == Use::fresh);
  }
}
BENCHMARK(decide_fresh);

void plan_conditional_reply(benchmark::State& state) {
  const StoredResponsePtr stored = finish(response(key_of(1)));
  http::Fields fields;
  fields.add(http::FieldId::if_none_match, "\"0x8DC5A0B1C2D3E4F\"");
  const http::FieldsView request = fields.view();
  const auto now = std::chrono::time_point_cast<seconds>(kNow);
  for (auto _ : state) {
    const ReplyPlan plan = plan_reply(http::Method::get, request, *stored, now);
    CHECK(plan.reply == Reply::not_modified);
  }
}
BENCHMARK(plan_conditional_reply);

void render_fields_of_a_hit(benchmark::State& state) {
  char out[kCacheStatusBytesMax];
  const CacheStatus status{.hit = true, .ttl = seconds{14340}};
  for (auto _ : state) {
    std::size_t length = render_cache_status(status, out);
    benchmark::DoNotOptimize(out);
    length += render_age(seconds{60}, out);
    benchmark::DoNotOptimize(length);
  }
}
BENCHMARK(render_fields_of_a_hit);

void render_stored_head(benchmark::State& state) {
  const StoredResponse from = response(key_of(1));
  for (auto _ : state) {
    StoredResponse copy = from;
    benchmark::DoNotOptimize(finish(std::move(copy)));
  }
}
BENCHMARK(render_stored_head);

void encode_and_decode_head(benchmark::State& state) {
  const StoredResponsePtr stored = finish(response(key_of(1)));
  for (auto _ : state) {
    const auto decoded = decode_head(encode_head(*stored));
    CHECK(decoded.has_value());
  }
}
BENCHMARK(encode_and_decode_head);

}  // namespace
}  // namespace revcache::cache
