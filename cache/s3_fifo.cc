#include "cache/s3_fifo.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"

namespace revcache::cache {
namespace {

constexpr std::size_t kSlotsMin = 64;

}  // namespace

void GhostQueue::grow(std::size_t capacity) {
  if (capacity <= capacity_) return;
  capacity_ = capacity;
  // Twice as many slots as hashes, so that full buckets rarely forget too early.
  slots_.assign(std::bit_ceil(capacity * 2), Slot{});
}

GhostQueue::Slot* GhostQueue::bucket(std::uint64_t hash) noexcept {
  const std::size_t buckets = slots_.size() / kWays;
  return &slots_[((hash >> 32U) & (buckets - 1)) * kWays];
}

void GhostQueue::remember(std::uint64_t hash) noexcept {
  if (slots_.empty()) return;
  Slot* const first = bucket(hash);
  Slot* const oldest = std::min_element(
      first, first + kWays, [](const Slot& a, const Slot& b) { return a.stamp < b.stamp; });
  *oldest = Slot{.hash = hash, .stamp = ++stamp_};
}

bool GhostQueue::take(std::uint64_t hash) noexcept {
  if (slots_.empty()) return false;
  Slot* const first = bucket(hash);
  Slot* const found = std::find_if(first, first + kWays,
                                   [&](const Slot& s) { return s.stamp != 0 && s.hash == hash; });
  if (found == first + kWays) return false;
  const bool recent = stamp_ - found->stamp < capacity_;
  *found = Slot{};
  return recent;
}

S3Fifo::S3Fifo(MemoryBudget& budget) : budget_(budget) {}

const StoredResponsePtr* S3Fifo::find(std::uint64_t hash, std::string_view key) noexcept {
  const std::size_t slot = find_slot(hash, key);
  if (slot == slots_.size()) return nullptr;
  Node& node = nodes_[slots_[slot].node];
  // Written only while it changes something: the line of a popular node stays clean.
  if (node.uses < kUsesMax) ++node.uses;
  return &node.entry;
}

StoredResponsePtr S3Fifo::insert(std::uint64_t hash, StoredResponsePtr entry,
                                 std::uint64_t charge) {
  CHECK(entry != nullptr);
  const std::size_t slot = find_slot(hash, entry->key);
  if (slot != slots_.size()) {
    // A new copy of the same thing keeps its place and its fame.
    Node& node = nodes_[slots_[slot].node];
    account(node, false);
    std::swap(node.entry, entry);
    node.charge = charge;
    account(node, true);
    return entry;
  }
  if ((entries_ + 1) * 2 > slots_.size()) grow_table();
  const std::uint32_t index = take_node();
  // An object that would fill a good part of the small queue alone would push everything out of it,
  // and be the next to go: it starts in the main queue.
  const bool oversized = charge > budget_.small_target() / 4;
  const Queue queue = ghost_.take(hash) || oversized ? Queue::main : Queue::small;
  Node& node = nodes_[index];
  node.entry = std::move(entry);
  node.hash = hash;
  node.charge = charge;
  node.uses = 0;
  link(index, queue);
  account(node, true);
  place(Slot{.hash = hash, .node = index});
  ++entries_;
  return nullptr;
}

StoredResponsePtr S3Fifo::erase(std::uint64_t hash, std::string_view key) {
  const std::size_t slot = find_slot(hash, key);
  if (slot == slots_.size()) return nullptr;
  return release(slots_[slot].node);
}

std::size_t S3Fifo::list(std::size_t place, std::size_t count,
                         std::vector<StoredResponsePtr>& out) const {
  const std::size_t end = std::min(nodes_.size(), place + count);
  for (; place < end; ++place) {
    if (nodes_[place].entry != nullptr) out.push_back(nodes_[place].entry);
  }
  return place;
}

std::uint64_t S3Fifo::evict(std::uint64_t bytes, const StoredResponse* spared,
                            std::vector<StoredResponsePtr>& out) {
  std::uint64_t freed = 0;
  while (freed < bytes) {
    const std::uint32_t victim = choose_victim(spared);
    if (victim == kNone) break;
    const bool was_used = nodes_[victim].queue == Queue::main;
    if (!was_used) ghost_.remember(nodes_[victim].hash);
    freed += nodes_[victim].charge;
    ++(was_used ? evicted_in_use_ : evicted_unused_);
    out.push_back(release(victim));
  }
  return freed;
}

void S3Fifo::clear(std::vector<StoredResponsePtr>& out) {
  for (const Queue queue : {Queue::small, Queue::main}) {
    while (fifo(queue).oldest != kNone) out.push_back(release(fifo(queue).oldest));
  }
}

std::size_t S3Fifo::find_slot(std::uint64_t hash, std::string_view key) const noexcept {
  if (slots_.empty()) return 0;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].node != kNone; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && nodes_[slots_[at].node].entry->key == key) return at;
  }
  return slots_.size();
}

void S3Fifo::grow_table() {
  const std::vector<Slot> old =
      std::exchange(slots_, std::vector<Slot>(std::max(kSlotsMin, slots_.size() * 2)));
  for (const Slot& slot : old) {
    if (slot.node != kNone) place(slot);
  }
  ghost_.grow(slots_.size() / 2);
}

void S3Fifo::place(Slot slot) noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = slot.hash & mask;
  while (slots_[at].node != kNone) at = (at + 1) & mask;
  slots_[at] = slot;
}

// Moves later slots of the same run back, so that no tombstones pile up.
void S3Fifo::remove_slot(std::size_t index) noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = index;
  for (std::size_t at = (hole + 1) & mask; slots_[at].node != kNone; at = (at + 1) & mask) {
    const std::size_t home = slots_[at].hash & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = Slot{};
}

std::uint32_t S3Fifo::take_node() {
  if (free_nodes_.empty()) {
    nodes_.emplace_back();
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  }
  const std::uint32_t index = free_nodes_.back();
  free_nodes_.pop_back();
  return index;
}

void S3Fifo::link(std::uint32_t index, Queue queue) noexcept {
  Fifo& list = fifo(queue);
  Node& node = nodes_[index];
  node.queue = queue;
  node.older = list.newest;
  node.newer = kNone;
  if (list.newest != kNone) nodes_[list.newest].newer = index;
  list.newest = index;
  if (list.oldest == kNone) list.oldest = index;
}

void S3Fifo::unlink(std::uint32_t index) noexcept {
  const Node& node = nodes_[index];
  Fifo& list = fifo(node.queue);
  (node.older == kNone ? list.oldest : nodes_[node.older].newer) = node.newer;
  (node.newer == kNone ? list.newest : nodes_[node.newer].older) = node.older;
}

void S3Fifo::account(const Node& node, bool added) noexcept {
  // Unsigned arithmetic wraps: adding the two's complement subtracts.
  const std::uint64_t one = added ? 1 : ~std::uint64_t{0};
  const std::uint64_t bytes = added ? node.charge : ~node.charge + 1;
  Usage& usage = usage_[static_cast<std::size_t>(node.entry->kind)];
  usage.entries += one;
  usage.bytes += bytes;
  budget_.used.fetch_add(bytes, std::memory_order_relaxed);
  if (node.queue == Queue::small) budget_.in_small.fetch_add(bytes, std::memory_order_relaxed);
}

StoredResponsePtr S3Fifo::release(std::uint32_t index) {
  Node& node = nodes_[index];
  const std::size_t slot = find_slot(node.hash, node.entry->key);
  CHECK(slot != slots_.size());
  remove_slot(slot);
  unlink(index);
  account(node, false);
  --entries_;
  free_nodes_.push_back(index);
  return std::exchange(node.entry, nullptr);
}

// Moves what was asked for meanwhile to the main queue; the first that was not is the victim.
std::uint32_t S3Fifo::victim_of_small(const StoredResponse* spared) noexcept {
  while (small_.oldest != kNone) {
    const std::uint32_t index = small_.oldest;
    Node& node = nodes_[index];
    if (node.uses == 0) return node.entry.get() == spared ? kNone : index;
    unlink(index);
    budget_.in_small.fetch_sub(node.charge, std::memory_order_relaxed);
    node.uses = 0;
    link(index, Queue::main);
  }
  return kNone;
}

std::uint32_t S3Fifo::victim_of_main(const StoredResponse* spared) noexcept {
  for (int chances = 0; main_.oldest != kNone; ++chances) {
    const std::uint32_t index = main_.oldest;
    Node& node = nodes_[index];
    const bool is_spared = node.entry.get() == spared;
    if (is_spared && node.newer == kNone) return kNone;
    if (!is_spared && (node.uses == 0 || chances >= kSecondChancesMax)) return index;
    if (node.uses > 0) --node.uses;
    unlink(index);
    link(index, Queue::main);
  }
  return kNone;
}

std::uint32_t S3Fifo::choose_victim(const StoredResponse* spared) noexcept {
  const bool small_is_full =
      budget_.in_small.load(std::memory_order_relaxed) > budget_.small_target();
  if (small_is_full) {
    const std::uint32_t victim = victim_of_small(spared);
    return victim != kNone ? victim : victim_of_main(spared);
  }
  const std::uint32_t victim = victim_of_main(spared);
  return victim != kNone ? victim : victim_of_small(spared);
}

}  // namespace revcache::cache
