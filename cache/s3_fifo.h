// One shard of the memory tier: a hash table and the queues of S3-FIFO (Yang et al., "FIFO queues
// are all you need for cache eviction", SOSP 2023). What is new waits in the small queue, about a
// tenth of the bytes; only what is asked for again while it is there, or soon after it left (the
// ghost remembers hashes), gets into the main queue. No locks here: the owner holds one.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/object_kind.h"
#include "cache/stored_response.h"

namespace revcache::cache {

// Bytes of all shards together. Relaxed atomics: the sums are exact once writers are quiet, and
// each shard changes them under its own lock.
struct MemoryBudget {
  std::uint64_t bytes_max = 0;
  std::atomic<std::uint64_t> used{0};
  std::atomic<std::uint64_t> in_small{0};

  [[nodiscard]] std::uint64_t small_target() const noexcept { return bytes_max / 10; }
};

// Hashes of what left the small queue unasked, the oldest forgotten first. A table of four-way
// buckets; 16 bytes a hash, nothing allocated but when it grows.
class GhostQueue {
 public:
  void remember(std::uint64_t hash) noexcept;
  // True if it was remembered within the last `capacity` hashes; forgets it.
  bool take(std::uint64_t hash) noexcept;
  void grow(std::size_t capacity);  // forgets everything; no-op when not larger

 private:
  static constexpr std::size_t kWays = 4;
  struct Slot {
    std::uint64_t hash = 0;
    std::uint64_t stamp = 0;  // 0: empty
  };

  [[nodiscard]] Slot* bucket(std::uint64_t hash) noexcept;

  std::vector<Slot> slots_;
  std::size_t capacity_ = 0;
  std::uint64_t stamp_ = 0;
};

class S3Fifo {
 public:
  // Charged on top of an entry's own bytes: the node, two table slots and a ghost slot.
  static constexpr std::uint64_t kOverheadBytes = 128;

  explicit S3Fifo(MemoryBudget& budget);

  // nullptr when absent; valid until the next change. Counts the use, writes nothing else.
  [[nodiscard]] const StoredResponsePtr* find(std::uint64_t hash, std::string_view key) noexcept;

  // Gives the entry that was replaced, if any, for the caller to destroy without the lock.
  StoredResponsePtr insert(std::uint64_t hash, StoredResponsePtr entry, std::uint64_t charge);
  StoredResponsePtr erase(std::uint64_t hash, std::string_view key);

  // Evicts until `bytes` are freed or nothing is left but `spared` (the entry just inserted; may be
  // null), and appends what was evicted to `out`. Gives the bytes freed.
  std::uint64_t evict(std::uint64_t bytes, const StoredResponse* spared,
                      std::vector<StoredResponsePtr>& out);
  void clear(std::vector<StoredResponsePtr>& out);

  // Appends those of the next `count` places from `place` on that are taken, and gives the place to
  // go on from: the end when it is places(). What moves in meanwhile may be missed.
  [[nodiscard]] std::size_t places() const noexcept { return nodes_.size(); }
  std::size_t list(std::size_t place, std::size_t count, std::vector<StoredResponsePtr>& out) const;

  struct Usage {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
  };
  [[nodiscard]] const std::array<Usage, kObjectKinds>& usage() const noexcept { return usage_; }
  // Of what nobody asked for since it was stored (it left the small queue), and of all else.
  [[nodiscard]] std::uint64_t evicted_unused() const noexcept { return evicted_unused_; }
  [[nodiscard]] std::uint64_t evicted_in_use() const noexcept { return evicted_in_use_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::uint8_t kUsesMax = 3;
  // Bounds the time under the lock when everything in the main queue is popular.
  static constexpr int kSecondChancesMax = 64;

  enum class Queue : std::uint8_t { small, main };

  struct Node {
    StoredResponsePtr entry;
    std::uint64_t hash = 0;
    std::uint64_t charge = 0;
    std::uint32_t newer = kNone;
    std::uint32_t older = kNone;
    std::uint8_t uses = 0;  // since it entered its queue, up to kUsesMax
    Queue queue = Queue::small;
  };
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t node = kNone;
  };
  struct Fifo {
    std::uint32_t newest = kNone;
    std::uint32_t oldest = kNone;
  };

  [[nodiscard]] Fifo& fifo(Queue queue) noexcept { return queue == Queue::small ? small_ : main_; }
  [[nodiscard]] std::size_t find_slot(std::uint64_t hash, std::string_view key) const noexcept;
  void grow_table();
  void place(Slot slot) noexcept;
  void remove_slot(std::size_t index) noexcept;
  std::uint32_t take_node();
  void link(std::uint32_t index, Queue queue) noexcept;
  void unlink(std::uint32_t index) noexcept;
  void account(const Node& node, bool added) noexcept;
  StoredResponsePtr release(std::uint32_t index);
  [[nodiscard]] std::uint32_t victim_of_small(const StoredResponse* spared) noexcept;
  [[nodiscard]] std::uint32_t victim_of_main(const StoredResponse* spared) noexcept;
  [[nodiscard]] std::uint32_t choose_victim(const StoredResponse* spared) noexcept;

  MemoryBudget& budget_;
  std::vector<Slot> slots_;  // linear probing, a power of two, at most half full
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> free_nodes_;
  std::size_t entries_ = 0;
  Fifo small_;
  Fifo main_;
  GhostQueue ghost_;
  std::array<Usage, kObjectKinds> usage_{};
  std::uint64_t evicted_unused_ = 0;
  std::uint64_t evicted_in_use_ = 0;
};

}  // namespace revcache::cache
