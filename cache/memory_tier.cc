#include "cache/memory_tier.h"

#include <algorithm>
#include <bit>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "cache/s3_fifo.h"

namespace revcache::cache {
namespace {

// A shard of about 8 MiB keeps the pause short in which its table grows under the lock.
constexpr std::uint64_t kShardBytes = 8ULL << 20U;
constexpr std::uint64_t kShardsMin = 16;
constexpr std::uint64_t kShardsMax = 256;
// Of its fair share, what one shard gives up before the next one is asked.
constexpr std::uint64_t kSharePerVisit = 16;
constexpr std::size_t kVisitedAtOnce = 256;

}  // namespace

// On cache lines of its own: a lock taken by one loop must not slow down the others.
struct alignas(64) MemoryTier::Shard {
  explicit Shard(MemoryBudget& budget) : entries(budget) {}

  std::mutex mutex;
  S3Fifo entries;  // under mutex
};

MemoryTier::MemoryTier(std::uint64_t bytes_max, std::uint64_t hash_seed)
    : budget_(std::make_unique<MemoryBudget>()), hasher_(hash_seed) {
  budget_->bytes_max = bytes_max;
  const std::uint64_t count =
      std::bit_ceil(std::clamp(bytes_max / kShardBytes, kShardsMin, kShardsMax));
  shards_.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) shards_.push_back(std::make_unique<Shard>(*budget_));
}

MemoryTier::~MemoryTier() = default;

StoredResponsePtr MemoryTier::find(std::string_view key) const noexcept {
  const std::uint64_t hash = hasher_(key);
  Shard& shard = *shards_[shard_of(hash)];
  const std::lock_guard lock(shard.mutex);
  const StoredResponsePtr* const found = shard.entries.find(hash, key);
  return found == nullptr ? nullptr : *found;
}

bool MemoryTier::put(StoredResponsePtr entry) {
  CHECK(entry != nullptr);
  const std::uint64_t charge = entry->memory_bytes() + S3Fifo::kOverheadBytes;
  if (charge > object_bytes_max()) {
    if (erase(entry->key)) dropped_too_large_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  const StoredResponse* const inserted = entry.get();
  const std::uint64_t hash = hasher_(entry->key);
  const std::size_t index = shard_of(hash);
  StoredResponsePtr replaced;  // destroyed after the lock is released
  {
    Shard& shard = *shards_[index];
    const std::lock_guard lock(shard.mutex);
    replaced = shard.entries.insert(hash, std::move(entry), charge);
  }
  make_room(index, inserted);
  return true;
}

bool MemoryTier::erase(std::string_view key) {
  const std::uint64_t hash = hasher_(key);
  Shard& shard = *shards_[shard_of(hash)];
  StoredResponsePtr erased;  // destroyed after the lock is released
  const std::lock_guard lock(shard.mutex);
  erased = shard.entries.erase(hash, key);
  return erased != nullptr;
}

void MemoryTier::clear() {
  for (const auto& shard : shards_) {
    std::vector<StoredResponsePtr> cleared;
    const std::lock_guard lock(shard->mutex);
    shard->entries.clear(cleared);
  }
}

void MemoryTier::visit(const std::function<void(const StoredResponsePtr&)>& seen) const {
  std::vector<StoredResponsePtr> some;
  some.reserve(kVisitedAtOnce);
  for (const auto& shard : shards_) {
    std::size_t place = 0;
    for (bool more = true; more;) {
      {
        const std::lock_guard lock(shard->mutex);
        place = shard->entries.list(place, kVisitedAtOnce, some);
        more = place < shard->entries.places();
      }
      for (const auto& entry : some) seen(entry);
      some.clear();
    }
  }
}

std::uint64_t MemoryTier::object_bytes_max() const noexcept { return budget_->bytes_max / 4; }

MemoryTier::Stats MemoryTier::stats() const {
  Stats stats;
  stats.dropped_too_large = dropped_too_large_.load(std::memory_order_relaxed);
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    const auto& usage = shard->entries.usage();
    for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
      stats.by_kind[kind].entries += usage[kind].entries;
      stats.by_kind[kind].bytes += usage[kind].bytes;
    }
    stats.evicted_unused += shard->entries.evicted_unused();
    stats.evicted_in_use += shard->entries.evicted_in_use();
  }
  return stats;
}

// The table inside a shard uses the low bits of the hash, its ghost those from bit 32 on.
std::size_t MemoryTier::shard_of(std::uint64_t hash) const noexcept {
  return (hash >> 56U) & (shards_.size() - 1);
}

// Only entries that are in a shard count as used, so there is always something to evict; `spared`
// may itself be evicted by another thread's put, never by its own: it is at most a quarter.
void MemoryTier::make_room(std::size_t first_shard, const StoredResponse* spared) {
  const std::uint64_t per_visit = budget_->bytes_max / shards_.size() / kSharePerVisit + 1;
  std::size_t index = first_shard;
  while (true) {
    const std::uint64_t used = budget_->used.load(std::memory_order_relaxed);
    if (used <= budget_->bytes_max) return;
    std::vector<StoredResponsePtr> evicted;  // destroyed after the lock is released
    {
      Shard& shard = *shards_[index];
      const std::lock_guard lock(shard.mutex);
      shard.entries.evict(std::min(used - budget_->bytes_max, per_visit), spared, evicted);
    }
    index = next_shard_.fetch_add(1, std::memory_order_relaxed) & (shards_.size() - 1);
  }
}

}  // namespace revcache::cache
