#include "pki/crl_index.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/huge_pages.h"
#include "base/little_endian.h"

namespace revcache::pki {
namespace {

// Four fifths of the slots are taken; then one serial of thirty does not find room in its line.
constexpr std::size_t kFilledNumerator = 4;
constexpr std::size_t kFilledDenominator = 5;
constexpr std::size_t kPrefetchDistance =
    16;  // insertions ahead, so that they do not wait for memory

constexpr std::size_t kCommonEntryBytes = 50;
constexpr std::size_t kShortestEntryBytes = 20;  // SEQUENCE, INTEGER of one octet, UTCTime

// The serial of the entry that `list` begins with; its form was checked.
inline ByteView serial_at(ByteView list) noexcept {
  constexpr std::uint8_t kLongForm = 0x80;
  const std::uint8_t* const at = list.data();
  const std::size_t header = at[1] < kLongForm ? 2U : 2U + (at[1] - kLongForm);
  return {at + header + 2, at[header + 1]};  // kSerialBytesMax needs no long form
}

// `serial`: of an entry, in its shortest form, so that at most one zero is in front. Half of all
// serials have that zero: a branch on it is guessed wrong every other time, and then all that the
// processor began while it waited for the entry was in vain.
inline bool is_serial(ByteView serial, ByteView significant) noexcept {
  const std::size_t extra = serial.size() - significant.size();
  // More than one; or one, and it is not zero.
  const std::size_t misfit = extra >> 1U | ((std::size_t{0} - extra) & serial.front());
  if (misfit != 0) return false;
  if (significant.empty()) return true;  // the serial 0, whose octets may lie nowhere
  return std::memcmp(serial.data() + extra, significant.data(), significant.size()) == 0;
}

#ifndef __SSE2__
// A bit for each octet of `word`, the lowest for the first, that is `octet`. Rarely one is set in
// vain, for an octet behind such.
std::uint32_t octets_equal(std::uint64_t word, std::uint8_t octet) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  const std::uint64_t difference = word ^ (kOnes * octet);
  const std::uint64_t zeros = ((difference - kOnes) & ~difference) >> 7U & kOnes;
  return static_cast<std::uint32_t>(zeros * 0x0102040810204080U >> 56U);
}
#endif

}  // namespace

// One number for all, as nobody can guess where in the line an entry is.
inline std::uint32_t CrlEntries::Line::with_tag(std::uint8_t tag) const noexcept {
#ifdef __SSE2__
  static_assert(offsetof(Line, tags) == 0);
  const __m128i octets = _mm_load_si128(reinterpret_cast<const __m128i*>(this));
  const auto equal = static_cast<std::uint32_t>(
      _mm_movemask_epi8(_mm_cmpeq_epi8(octets, _mm_set1_epi8(static_cast<char>(tag)))));
#else
  constexpr std::size_t kFirst = sizeof(std::uint64_t);
  const std::uint32_t equal =
      octets_equal(load_little_endian<std::uint64_t>(tags.data()), tag) |
      octets_equal(load_little_endian<std::uint32_t>(tags.data() + kFirst), tag) << kFirst;
#endif
  return equal & ((1U << kSlotsPerLine) - 1);
}

CrlEntries::CrlEntries(ByteView der, const SerialHash& hash) noexcept
    : der_(der),
      hash_(hash),
      offset_mask_(static_cast<Slot>((std::uint64_t{1} << std::bit_width(der.size())) - 1)) {}

template <class Serial>
const CrlEntries::Slot* CrlEntries::find_in(const Line& line, const Place& place,
                                            const Serial& significant) const noexcept {
  const auto fits = [&](const Slot& slot) {
    if (((slot ^ place.slot) & ~offset_mask_) != 0) return false;
    const ByteView list = at(slot);
    // Most entries lie across two cache lines, and the lengths in the first say where the rest is:
    // asked for at once, memory is waited for once.
    __builtin_prefetch(list.data() + std::min(kCommonEntryBytes, list.size()) - 1);
    return is_serial(serial_at(list), significant());
  };
  for (std::uint32_t equal = line.with_tag(place.tag()); equal != 0; equal &= equal - 1) {
    const Slot* const slot = line.slots.data() + std::countr_zero(equal);
    if (fits(*slot)) return slot;
  }
  return nullptr;
}

std::optional<RevokedEntry> CrlEntries::find(ByteView serial) const noexcept {
  std::optional<RevokedEntry> found;  // the one object that is returned: it is not copied
  if (lines_.empty()) return found;
  const ByteView wanted = significant_octets(serial);
  const Place place = place_of(hash_(wanted), 0);
  for (std::size_t i = home(place.high_bits);; i = after(i)) {
    const Line& line = lines_.data()[i];
    if (const Slot* const slot = find_in(line, place, [&] { return wanted; })) {
      read_checked_entry(at(*slot), found.emplace());
      return found;
    }
    if ((line.passed & place.mark()) == 0) return found;
  }
}

void CrlEntries::insert(const Place& place) noexcept {
  const auto serial = [&] { return significant_octets(serial_at(at(place.slot))); };
  for (std::size_t i = home(place.high_bits);; i = after(i)) {
    Line& line = lines_.data()[i];
    if (const Slot* const there = find_in(line, place, serial)) {
      ByteView list = at(*there);
      if (next_entry(list).reason != CrlReason::remove_from_crl) return;
      line.slots[static_cast<std::size_t>(there - line.slots.data())] = place.slot;
      return;
    }
    if (const std::uint32_t free = line.with_tag(kFree); free != 0) {
      const auto first = static_cast<std::size_t>(std::countr_zero(free));
      line.tags.data()[first] = place.tag();
      line.slots.data()[first] = place.slot;
      return;
    }
    line.passed |= place.mark();
  }
}

CrlIndexBuilder::CrlIndexBuilder(ByteView der, std::uint64_t hash_seed)
    : index_(new CrlEntries(der, SerialHash(hash_seed))) {}

void CrlIndexBuilder::add(const std::uint8_t* start, ByteView serial) {
  if (blocks_.empty() || blocks_.back().size() == kBlockEntries) {
    // What is left of the DER bounds the rest: a small CRL shall not pay for a large one's block.
    const auto left = static_cast<std::size_t>(index_->der_.data() + index_->der_.size() - start);
    blocks_.emplace_back().reserve(std::min(kBlockEntries, left / kShortestEntryBytes + 1));
  }
  const std::uint64_t hash = index_->hash_(significant_octets(serial));
  const auto offset = static_cast<std::size_t>(start - index_->der_.data());
  blocks_.back().push_back(index_->place_of(hash, offset));
  ++entries_;
}

void CrlIndexBuilder::insert_all(const Block& block) {
  for (std::size_t i = 0; i < block.size(); ++i) {
    const std::size_t ahead = std::min(i + kPrefetchDistance, block.size() - 1);
    __builtin_prefetch(&index_->lines_[index_->home(block[ahead].high_bits)], 1);
    index_->insert(block[i]);
  }
}

std::shared_ptr<const CrlEntries> CrlIndexBuilder::build(ByteView list) {
  index_->list_ = list;
  if (entries_ > 0) {
    constexpr std::size_t kSlots = CrlEntries::kSlotsPerLine * kFilledNumerator;
    const std::size_t lines = entries_ * kFilledDenominator / kSlots + 1;
    index_->lines_.reserve(lines);
    prefer_huge_pages(index_->lines_.data(), lines * sizeof(CrlEntries::Line));
    index_->lines_.resize(lines);
  }
  prefer_huge_pages(index_->der_.data(), index_->der_.size());
  for (Block& block : blocks_) insert_all(std::exchange(block, {}));
  return std::exchange(index_, nullptr);
}

}  // namespace revcache::pki
