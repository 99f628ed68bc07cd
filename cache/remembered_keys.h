// Which keys were stored once, and whether they were removed on purpose: tells a miss of what was
// evicted from one of what was never there. 131,072 slots of a fingerprint each; a key that takes
// the slot of another makes that one unheard of. Not kept over a restart. For metrics only.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace revcache::cache {

// Any thread.
class RememberedKeys {
 public:
  enum class Fate : std::uint8_t { unheard_of, stored, removed };

  void note_stored(std::string_view key) noexcept { set(mark_of(key)); }
  // Of a key that is unheard of: nothing.
  void note_removed(std::string_view key) noexcept {
    const Mark mark = mark_of(key);
    if (is_known(slot(mark), mark)) slot(mark).store(mark.fingerprint | kRemoved, kRelaxed);
  }
  [[nodiscard]] Fate fate_of(std::string_view key) const noexcept {
    const Mark mark = mark_of(key);
    const std::uint32_t found = slots_[mark.slot].load(kRelaxed);
    if ((found & ~kRemoved) != mark.fingerprint) return Fate::unheard_of;
    return (found & kRemoved) != 0 ? Fate::removed : Fate::stored;
  }

 private:
  static constexpr std::size_t kSlots = std::size_t{1} << 17U;
  static constexpr std::uint32_t kRemoved = 1;
  static constexpr std::uint32_t kUsed = 2;  // tells a fingerprint from an empty slot
  static constexpr auto kRelaxed = std::memory_order_relaxed;

  struct Mark {
    std::size_t slot;
    std::uint32_t fingerprint;
  };

  static Mark mark_of(std::string_view key) noexcept {
    const std::uint64_t hash = std::hash<std::string_view>{}(key);
    const auto high = static_cast<std::uint32_t>(hash >> 32U);
    return {static_cast<std::size_t>(hash % kSlots), (high & ~kRemoved) | kUsed};
  }
  [[nodiscard]] std::atomic<std::uint32_t>& slot(const Mark& mark) noexcept {
    return slots_[mark.slot];
  }
  static bool is_known(const std::atomic<std::uint32_t>& slot, const Mark& mark) noexcept {
    return (slot.load(kRelaxed) & ~kRemoved) == mark.fingerprint;
  }
  // What is stored already reads a word and writes nothing.
  void set(const Mark& mark) noexcept {
    if (slot(mark).load(kRelaxed) != mark.fingerprint) slot(mark).store(mark.fingerprint, kRelaxed);
  }

  std::vector<std::atomic<std::uint32_t>> slots_ = std::vector<std::atomic<std::uint32_t>>(kSlots);
};

}  // namespace revcache::cache
