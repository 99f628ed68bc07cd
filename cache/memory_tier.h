// The memory tier: shared by all loops, sharded, bounded in bytes. Each shard evicts by S3-FIFO
// (small, main and ghost queues), so that a scan of objects asked for once does not push out what
// is asked for again and again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "cache/cache_key.h"
#include "cache/stored_response.h"

namespace revcache::cache {

struct MemoryBudget;

class MemoryTier {
 public:
  // `bytes_max` over all shards; an object larger than bytes_max / 4 is not taken (the budget is
  // shared between shards, so that one large object fits whatever its shard). `hash_seed` is random
  // and secret, so that nobody can choose keys that collide.
  MemoryTier(std::uint64_t bytes_max, std::uint64_t hash_seed);
  MemoryTier(const MemoryTier&) = delete;
  MemoryTier& operator=(const MemoryTier&) = delete;
  ~MemoryTier();

  // nullptr when absent. Any thread. The lock is held for a hash probe and a pointer copy; nothing
  // is allocated or freed under it.
  [[nodiscard]] StoredResponsePtr find(std::string_view key) const noexcept;

  // Replaces the entry of the same key; false when it is too large, and then an older entry of that
  // key is gone too. Makes room in its own shard first, then in the others in turn; when it
  // returns, at most bytes_max are used. Any thread. What is evicted is destroyed outside the lock.
  bool put(StoredResponsePtr entry);

  // True if there was one. Any thread.
  bool erase(std::string_view key);
  void clear();

  // Every entry that is there from before the call until it returns; of what comes or goes
  // meanwhile, some. Any thread. A lock is held for the copy of a few hundred pointers; `seen` runs
  // without one.
  void visit(const std::function<void(const StoredResponsePtr&)>& seen) const;

  [[nodiscard]] std::uint64_t object_bytes_max() const noexcept;

  struct KindStats {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
  };
  struct Stats {
    KindStats by_kind[kObjectKinds];
    std::uint64_t evicted_unused = 0;  // nobody had asked for it since it was stored
    std::uint64_t evicted_in_use = 0;
    std::uint64_t dropped_too_large = 0;  // a new copy was not taken, and the old one is gone

    [[nodiscard]] std::uint64_t evictions() const noexcept {
      return evicted_unused + evicted_in_use;
    }
  };
  [[nodiscard]] Stats stats() const;  // any thread; walks the shards, not the entries

 private:
  struct Shard;

  [[nodiscard]] std::size_t shard_of(std::uint64_t hash) const noexcept;
  void make_room(std::size_t first_shard, const StoredResponse* spared);

  std::unique_ptr<MemoryBudget> budget_;
  KeyHasher hasher_;
  std::atomic<std::uint64_t> dropped_too_large_{0};
  std::atomic<std::size_t> next_shard_{0};  // to make room in, when the own shard has none to give
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace revcache::cache
