#include "pki/crl_index.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/huge_pages.h"

namespace revcache::pki {
namespace {

constexpr std::size_t kSlotsPerEntry = 2;  // half full: a search that fails looks at 2.5 slots
constexpr std::size_t kPrefetchDistance =
    16;  // insertions ahead, so that they do not wait for memory

constexpr std::size_t kCommonEntryBytes = 50;

// The serial of the entry that `list` begins with; its form was checked.
ByteView serial_at(ByteView list) noexcept {
  constexpr std::uint8_t kLongForm = 0x80;
  const std::uint8_t* const at = list.data();
  const std::size_t header = at[1] < kLongForm ? 2U : 2U + (at[1] - kLongForm);
  return {at + header + 2, at[header + 1]};  // kSerialBytesMax needs no long form
}

// `serial`: of an entry, in its shortest form, so that at most one zero is in front. Without
// branches on what it holds: half of all serials have that zero, and to guess wrong costs as much
// as to wait for memory.
bool is_serial(ByteView serial, ByteView significant) noexcept {
  const std::size_t extra = serial.size() - significant.size();
  const bool length_fits = (extra == 0) | ((extra == 1) & (serial.front() == 0));
  if (!length_fits || significant.empty()) return length_fits;
  return std::memcmp(serial.data() + extra, significant.data(), significant.size()) == 0;
}

}  // namespace

CrlEntries::CrlEntries(ByteView der, const SerialHash& hash) noexcept
    : der_(der),
      hash_(hash),
      offset_mask_(static_cast<Slot>((std::uint64_t{1} << std::bit_width(der.size())) - 1)) {}

ByteView CrlEntries::at(Slot slot) const noexcept { return der_.subspan(slot & offset_mask_); }

CrlEntries::Slot CrlEntries::make_slot(std::uint64_t hash, std::size_t offset) const noexcept {
  return (static_cast<Slot>(hash) & ~offset_mask_) | static_cast<Slot>(offset);
}

// Maps 32 bits evenly to any number of slots, without a division.
std::size_t CrlEntries::home(std::uint32_t high_bits) const noexcept {
  return static_cast<std::size_t>(std::uint64_t{high_bits} * slots_.size() >> 32U);
}

std::size_t CrlEntries::after(std::size_t index) const noexcept {
  return index + 1 == slots_.size() ? 0 : index + 1;
}

std::optional<RevokedEntry> CrlEntries::find(ByteView serial) const noexcept {
  if (slots_.empty()) return std::nullopt;
  const ByteView wanted = significant_octets(serial);
  const std::uint64_t hash = hash_(wanted);
  const Slot tag = make_slot(hash, 0);
  for (std::size_t i = home(static_cast<std::uint32_t>(hash >> 32U)); slots_[i] != 0;
       i = after(i)) {
    if ((slots_[i] & ~offset_mask_) != tag) continue;
    ByteView list = at(slots_[i]);
    // Most entries lie across two cache lines, and the lengths in the first say where the rest is:
    // asked for at once, memory is waited for once.
    __builtin_prefetch(&list[std::min(kCommonEntryBytes, list.size()) - 1]);
    if (is_serial(serial_at(list), wanted)) return next_entry(list);
  }
  return std::nullopt;
}

void CrlEntries::insert(std::uint32_t high_bits, Slot slot) noexcept {
  std::size_t i = home(high_bits);
  for (; slots_[i] != 0; i = after(i)) {
    if (((slots_[i] ^ slot) & ~offset_mask_) != 0) continue;
    ByteView there = at(slots_[i]);
    if (!is_serial(serial_at(there), significant_octets(serial_at(at(slot))))) continue;
    if (next_entry(there).reason == CrlReason::remove_from_crl) slots_[i] = slot;
    return;
  }
  slots_[i] = slot;
}

CrlIndexBuilder::CrlIndexBuilder(ByteView der, std::uint64_t hash_seed)
    : index_(new CrlEntries(der, SerialHash(hash_seed))) {}

void CrlIndexBuilder::add(const std::uint8_t* start, ByteView serial) {
  if (blocks_.empty() || blocks_.back().size() == kBlockEntries) {
    blocks_.emplace_back().reserve(kBlockEntries);
  }
  const std::uint64_t hash = index_->hash_(significant_octets(serial));
  const auto offset = static_cast<std::size_t>(start - index_->der_.data());
  blocks_.back().push_back(
      {static_cast<std::uint32_t>(hash >> 32U), index_->make_slot(hash, offset)});
  ++entries_;
}

void CrlIndexBuilder::insert_all(const Block& block) {
  for (std::size_t i = 0; i < block.size(); ++i) {
    const std::size_t ahead = std::min(i + kPrefetchDistance, block.size() - 1);
    __builtin_prefetch(&index_->slots_[index_->home(block[ahead].high_bits)], 1);
    index_->insert(block[i].high_bits, block[i].slot);
  }
}

std::shared_ptr<const CrlEntries> CrlIndexBuilder::build(ByteView list) {
  index_->list_ = list;
  index_->slots_.reserve(entries_ * kSlotsPerEntry);
  prefer_huge_pages(index_->slots_.data(), index_->slots_.capacity() * sizeof(CrlEntries::Slot));
  index_->slots_.resize(entries_ * kSlotsPerEntry);
  prefer_huge_pages(index_->der_.data(), index_->der_.size());
  for (Block& block : blocks_) insert_all(std::exchange(block, {}));
  return std::exchange(index_, nullptr);
}

}  // namespace revcache::pki
