#include "revocation/seen_revocations.h"

#include <cstring>
#include <utility>

#include "pki/serial_hash.h"

namespace revcache::revocation {
namespace {

constexpr std::size_t kDateBytes = 8;
constexpr std::size_t kFixedBytes = 1 + kDateBytes + 1;  // beside the serial
constexpr std::size_t kSlotsPerTwo = 3;                  // at most two thirds full

struct Record {
  ByteView serial;
  SeenRevocations::Entry entry;
  std::size_t size = 0;
};

Record record_at(const std::string& records, std::size_t offset) noexcept {
  const ByteView bytes = as_bytes(std::string_view(records)).subspan(offset);
  const std::size_t length = bytes[0];
  std::int64_t seconds = 0;
  std::memcpy(&seconds, bytes.data() + 1 + length, kDateBytes);
  return {.serial = bytes.subspan(1, length),
          .entry = {.revoked_at = WallSeconds(std::chrono::seconds(seconds)),
                    .reason = static_cast<pki::CrlReason>(bytes[1 + length + kDateBytes])},
          .size = kFixedBytes + length};
}

void append_record(ByteView serial, const SeenRevocations::Entry& entry, std::string& records) {
  records += static_cast<char>(static_cast<unsigned char>(serial.size()));
  records += as_text(serial);
  const std::int64_t seconds = entry.revoked_at.time_since_epoch().count();
  records.append(reinterpret_cast<const char*>(&seconds), kDateBytes);
  records += static_cast<char>(entry.reason);
}

void replace_entry(std::size_t offset, const Record& record, const SeenRevocations::Entry& entry,
                   std::string& records) {
  const std::int64_t seconds = entry.revoked_at.time_since_epoch().count();
  char* const at = records.data() + offset + 1 + record.serial.size();
  std::memcpy(at, &seconds, kDateBytes);
  at[kDateBytes] = static_cast<char>(entry.reason);
}

// Which of two statements about one serial is kept.
bool outweighs(const SeenRevocations::Entry& entry, const SeenRevocations::Entry& other) noexcept {
  const bool holds = entry.reason == pki::CrlReason::certificate_hold;
  const bool other_holds = other.reason == pki::CrlReason::certificate_hold;
  if (holds != other_holds) return other_holds;
  return entry.revoked_at < other.revoked_at;
}

bool same(ByteView left, ByteView right) noexcept { return as_text(left) == as_text(right); }

}  // namespace

Result<std::shared_ptr<const SeenRevocations>> SeenRevocations::build(
    std::span<const SeenRevocation> revocations, std::uint64_t hash_seed) {
  Builder builder(hash_seed);
  for (const SeenRevocation& seen : revocations) {
    const Entry entry{.revoked_at = seen.revoked_at, .reason = seen.reason};
    if (!builder.add(as_bytes(seen.serial), entry)) {
      return fail(ErrorCode::too_large, Blame::local,
                  "too many revocations to remember in memory, or a serial that is too long");
    }
  }
  return std::make_shared<const SeenRevocations>(std::move(builder).build());
}

bool SeenRevocations::Builder::add(ByteView serial, const Entry& entry) {
  const ByteView significant = pki::significant_octets(serial);
  if (significant.size() > kSeenSerialBytesMax) return false;
  if (records_.size() + kFixedBytes + significant.size() >= kBytesMax) return false;
  append_record(significant, entry, records_);
  ++added_;
  return true;
}

SeenRevocations SeenRevocations::Builder::build() && {
  SeenRevocations set;
  set.hash_ = hash_;
  set.slots_.resize(added_ * kSlotsPerTwo / 2 + 1);
  std::string& records = set.records_ = std::move(records_);
  // Records move down over those whose serial came before.
  std::size_t kept = 0;
  for (std::size_t offset = 0; offset < records.size();) {
    const Record record = record_at(records, offset);
    std::uint32_t& slot = set.slots_[set.slot_of(record.serial)];
    if (slot != 0) {
      const Record first = record_at(records, slot - 1);
      if (outweighs(record.entry, first.entry)) {
        replace_entry(slot - 1, first, record.entry, records);
      }
    } else {
      std::memmove(records.data() + kept, records.data() + offset, record.size);
      slot = static_cast<std::uint32_t>(kept + 1);
      kept += record.size;
      ++set.count_;
    }
    offset += record.size;
  }
  records.resize(kept);
  records.shrink_to_fit();
  return set;
}

std::size_t SeenRevocations::slot_of(ByteView serial) const noexcept {
  const std::uint64_t hash = hash_(serial);
  // Maps 32 bits evenly to any number of slots, without a division.
  auto slot = static_cast<std::size_t>((hash >> 32U) * slots_.size() >> 32U);
  while (slots_[slot] != 0 && !same(record_at(records_, slots_[slot] - 1).serial, serial)) {
    slot = slot + 1 == slots_.size() ? 0 : slot + 1;
  }
  return slot;
}

std::optional<SeenRevocations::Entry> SeenRevocations::find(ByteView serial) const noexcept {
  if (count_ == 0) return std::nullopt;
  const std::size_t slot = slot_of(pki::significant_octets(serial));
  if (slots_[slot] == 0) return std::nullopt;
  return record_at(records_, slots_[slot] - 1).entry;
}

void SeenRevocations::for_each(
    const std::function<void(ByteView serial, const Entry& entry)>& visit) const {
  for (std::size_t offset = 0; offset < records_.size();) {
    const Record record = record_at(records_, offset);
    visit(record.serial, record.entry);
    offset += record.size;
  }
}

}  // namespace revcache::revocation
