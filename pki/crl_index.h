// Serial number to revocation, over the bytes of one CRL. Immutable once built; any thread.
//
// The index is a table of cache lines with room for twelve entries each, four fifths full: 6.7
// bytes an entry beside the DER. A line holds an octet of each serial's hash, all compared at once,
// and a 32-bit slot: the offset of the entry in the DER and, in the bits that an offset there never
// needs, more of the hash. So a serial that is not listed costs one line, one that is listed that
// line and its entry. Whoever finds a line full goes on to the next and leaves a mark that tells
// searches to do so. The hash is keyed (serial_hash.h): nobody can choose serials that collide.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "pki/serial_hash.h"

namespace revcache::pki {

// RFC 5280 5.3.1. `unspecified` also when the extension is absent.
enum class CrlReason : std::uint8_t {
  unspecified = 0,
  key_compromise = 1,
  ca_compromise = 2,
  affiliation_changed = 3,
  superseded = 4,
  cessation_of_operation = 5,
  certificate_hold = 6,
  remove_from_crl = 8,
  privilege_withdrawn = 9,
  aa_compromise = 10,
};

// The standard's own spelling: "keyCompromise". Static storage.
std::string_view to_string(CrlReason reason) noexcept;
std::optional<CrlReason> crl_reason(std::string_view name) noexcept;  // exact spelling
std::optional<CrlReason> crl_reason(std::uint8_t value) noexcept;     // 7 and above 10: nullopt

struct RevokedEntry {
  ByteView serial;  // as in the CRL; into its DER
  WallSeconds revoked_at;
  CrlReason reason = CrlReason::unspecified;
  std::optional<WallSeconds> invalidity_date;
};

// Serial numbers are compared as unsigned numbers: leading zero octets do not count.
ByteView significant_octets(ByteView serial) noexcept;

// A CRL's DER must be shorter than this for its offsets to fit into a slot.
inline constexpr std::uint64_t kCrlBytesMax = std::uint64_t{1} << 32U;

// The entries of one CRL, by serial. The DER that they lie in must outlive it.
class CrlEntries {
 public:
  // nullopt: not listed. No allocation. Of several entries for one serial: the first that revokes,
  // else the first (RFC 5280 5.3.1: removeFromCRL loses against any other reason).
  [[nodiscard]] std::optional<RevokedEntry> find(ByteView serial) const noexcept;
  // Content of revokedCertificates; empty when there is none. For next_entry().
  [[nodiscard]] ByteView list() const noexcept { return list_; }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return sizeof *this + lines_.capacity() * sizeof(Line);
  }

 private:
  friend class CrlIndexBuilder;
  using Slot = std::uint32_t;
  static constexpr std::size_t kLineBytes = 64;
  static constexpr std::size_t kSlotsPerLine = 12;
  static constexpr std::uint8_t kFree = 0;

  struct alignas(kLineBytes) Line {
    std::array<std::uint8_t, kSlotsPerLine> tags{};  // or kFree; taken from the front
    std::uint32_t passed = 0;  // marks of serials that belong here or before and found no room
    std::array<Slot, kSlotsPerLine> slots{};

    // A bit for each slot that has it, and rarely for one behind such. Exact up to the first.
    [[nodiscard]] std::uint32_t with_tag(std::uint8_t tag) const noexcept;
  };
  static_assert(sizeof(Line) == kLineBytes);

  // Where an entry belongs, and by what it is told from its neighbours.
  struct Place {
    std::uint32_t high_bits;  // of the hash
    Slot slot;
    // The home needs the upper half of these bits; what tells entries apart comes from the lower.
    [[nodiscard]] std::uint8_t tag() const noexcept {
      const auto tag = static_cast<std::uint8_t>(high_bits);
      return tag == kFree ? kFree + 1 : tag;
    }
    [[nodiscard]] std::uint32_t mark() const noexcept {
      constexpr unsigned kTagBits = 8;
      constexpr unsigned kMarks = 32;
      return std::uint32_t{1} << (high_bits >> kTagBits) % kMarks;
    }
  };

  CrlEntries(ByteView der, const SerialHash& hash) noexcept;

  [[nodiscard]] Place place_of(std::uint64_t hash, std::size_t offset) const noexcept {
    return {static_cast<std::uint32_t>(hash >> 32U),
            (static_cast<Slot>(hash) & ~offset_mask_) | static_cast<Slot>(offset)};
  }
  [[nodiscard]] ByteView at(Slot slot) const noexcept { return der_.subspan(slot & offset_mask_); }
  // Maps 32 bits evenly to any number of lines, without a division.
  [[nodiscard]] std::size_t home(std::uint32_t high_bits) const noexcept {
    return static_cast<std::size_t>(std::uint64_t{high_bits} * lines_.size() >> 32U);
  }
  [[nodiscard]] std::size_t after(std::size_t index) const noexcept {
    return index + 1 == lines_.size() ? 0 : index + 1;
  }
  // The slot in this line whose entry has the serial that `significant` gives; nullptr: none.
  template <class Serial>
  [[nodiscard]] const Slot* find_in(const Line& line, const Place& place,
                                    const Serial& significant) const noexcept;
  void insert(const Place& place) noexcept;

  ByteView der_;
  ByteView list_;
  SerialHash hash_;
  Slot offset_mask_;
  std::vector<Line> lines_;
};

// Collects entries while a CRL is read, then builds the table once their number is known: what is
// kept meanwhile takes 8 bytes an entry. Used by one thread.
class CrlIndexBuilder {
 public:
  CrlIndexBuilder(ByteView der, std::uint64_t hash_seed);

  // An entry that was checked: `start` is its first octet, `serial` its serial; both in the DER.
  void add(const std::uint8_t* start, ByteView serial);
  [[nodiscard]] std::size_t entries() const noexcept { return entries_; }

  // `list`: as CrlEntries::list(). The builder is empty then.
  std::shared_ptr<const CrlEntries> build(ByteView list);

 private:
  static constexpr std::size_t kBlockEntries = 16 * 1024;
  using Block = std::vector<CrlEntries::Place>;

  void insert_all(const Block& block);

  std::unique_ptr<CrlEntries> index_;
  std::vector<Block> blocks_;
  std::size_t entries_ = 0;
};

// The first entry of `list`, which is as for next_entry(), into `entry`, which is as made; its
// size.
std::size_t read_checked_entry(ByteView list, RevokedEntry& entry) noexcept;

// The first entry of `list`, which it leaves shorter by that. `list`: what is left of
// CrlEntries::list(), not empty.
RevokedEntry next_entry(ByteView& list) noexcept;

}  // namespace revcache::pki
