// Revocations that are remembered although no CRL in memory lists them (no longer, or not yet), as
// a compact set: 10 octets and the serial for each, and 6 more for finding it. Immutable; any
// thread. The hash is keyed, so that nobody can choose serials that collide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "pki/crl_index.h"
#include "pki/serial_hash.h"
#include "revocation/state_store.h"

namespace revcache::revocation {

class SeenRevocations {
 public:
  struct Entry {
    WallSeconds revoked_at;
    pki::CrlReason reason = pki::CrlReason::unspecified;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  static constexpr std::size_t kBytesMax = UINT32_MAX;  // of serials, dates and reasons together

  SeenRevocations() = default;  // empty
  // Fails with too_large where Builder::add would say false.
  static Result<std::shared_ptr<const SeenRevocations>> build(
      std::span<const SeenRevocation> revocations, std::uint64_t hash_seed);

  // Grows into a set. One thread.
  class Builder {
   public:
    explicit Builder(std::uint64_t hash_seed) : hash_(hash_seed) {}
    // A serial that comes again (from another scope) has one entry: any reason wins over a hold,
    // else the earlier date. False, and not added: the serial is too long (kSeenSerialBytesMax), or
    // the set would exceed kBytesMax.
    [[nodiscard]] bool add(ByteView serial, const Entry& entry);
    [[nodiscard]] SeenRevocations build() &&;  // as large as needed, no larger

   private:
    pki::SerialHash hash_;
    std::string records_;
    std::size_t added_ = 0;
  };

  // Leading zero octets do not count. No allocation.
  [[nodiscard]] std::optional<Entry> find(ByteView serial) const noexcept;
  // In the order in which they came.
  void for_each(const std::function<void(ByteView serial, const Entry& entry)>& visit) const;
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return records_.capacity() + slots_.capacity() * sizeof(slots_[0]);
  }

 private:
  // The slot that holds `serial`, or the empty one where it belongs.
  [[nodiscard]] std::size_t slot_of(ByteView serial) const noexcept;

  pki::SerialHash hash_{0};
  std::size_t count_ = 0;
  std::string records_;               // length (u8), serial, date (i64), reason (u8); each once
  std::vector<std::uint32_t> slots_;  // 1 + offset of a record, 0: empty; 3 for 2 serials
};

}  // namespace revcache::revocation
