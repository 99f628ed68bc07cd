#include "revocation/crl_diff.h"

#include <algorithm>
#include <utility>

#include "pki/crl_index.h"
#include "pki/signature.h"

namespace revcache::revocation {
namespace {

// An entry has 20 octets at least (a SEQUENCE of an INTEGER and a UTCTime), so no two serials begin
// within the same 16.
constexpr std::size_t kSlotBytes = 16;

bool revokes(const std::optional<pki::RevokedEntry>& entry) noexcept {
  return entry && entry->reason != pki::CrlReason::remove_from_crl;
}

SeenRevocation to_seen(const pki::RevokedEntry& entry) {
  return {.serial = std::string(as_text(pki::significant_octets(entry.serial))),
          .revoked_at = entry.revoked_at,
          .reason = entry.reason};
}

template <class Item, class SerialOf>
std::string text_of(std::span<const Item> items, const SerialOf& serial_of) {
  std::string out;
  const std::size_t shown = std::min(items.size(), kSerialsInText);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) out += ", ";
    out += pki::hex(as_bytes(serial_of(items[i])));
  }
  if (items.size() > shown) out += " and " + std::to_string(items.size() - shown) + " more";
  return out;
}

}  // namespace

CrlDiffer::CrlDiffer(const pki::ParsedCrl& crl, Options options)
    : crl_(crl), options_(std::move(options)), seen_entries_(crl.der.size() / kSlotBytes + 1) {}

void CrlDiffer::saw(const SeenRevocation& seen) {
  const std::optional<pki::RevokedEntry> entry = crl_.find(as_bytes(seen.serial));
  if (entry) mark(entry->serial);
  if (revokes(entry)) {
    add_if_changed(seen, *entry);
  } else if (crl_.is_delta()) {
    if (!entry) return;
    diff_.lifted.push_back(seen.serial);
    ++diff_.removed;
  } else if (options_.absence_counts) {
    // removeFromCRL has no meaning in a complete CRL (RFC 5280 5.3.1): not listed.
    judge_absent(seen);
  }
}

void CrlDiffer::add_if_changed(const SeenRevocation& seen, const pki::RevokedEntry& entry) {
  if (entry.revoked_at == seen.revoked_at && entry.reason == seen.reason) return;
  diff_.added.push_back(to_seen(entry));
  ++diff_.changed;
}

void CrlDiffer::judge_absent(const SeenRevocation& seen) {
  if (seen.reason == pki::CrlReason::certificate_hold) {
    diff_.lifted.push_back(seen.serial);
    ++diff_.removed;
    return;
  }
  const bool is_news = was_listed_before(as_bytes(seen.serial));
  if (is_news) ++diff_.removed;
  const auto expiry =
      options_.expiry ? options_.expiry(as_bytes(seen.serial)) : std::optional<WallSeconds>();
  if (expiry && *expiry < crl_.this_update) {
    diff_.expired.push_back(seen.serial);
    return;
  }
  diff_.disappeared.push_back(seen);
  if (is_news) ++diff_.newly_disappeared;
}

CrlDiff CrlDiffer::finish() {
  crl_.for_each([this](const pki::RevokedEntry& entry) {
    if (!revokes(entry) || is_marked(entry.serial)) return;
    // Of a serial that is listed twice, only the entry that find() gives counts.
    const auto found = crl_.find(entry.serial);
    if (!found || found->serial.data() != entry.serial.data()) return;
    diff_.added.push_back(to_seen(entry));
  });
  return std::move(diff_);
}

bool CrlDiffer::was_listed_before(ByteView serial) const {
  return options_.previous == nullptr || revokes(options_.previous->find(serial));
}

void CrlDiffer::mark(ByteView serial) { seen_entries_[slot_of(serial)] = true; }

bool CrlDiffer::is_marked(ByteView serial) const { return seen_entries_[slot_of(serial)]; }

std::size_t CrlDiffer::slot_of(ByteView serial) const {
  return static_cast<std::size_t>(serial.data() - crl_.der.bytes().data()) / kSlotBytes;
}

std::string serials_text(std::span<const SeenRevocation> revocations) {
  return text_of(revocations,
                 [](const SeenRevocation& seen) -> const std::string& { return seen.serial; });
}

std::string serials_text(std::span<const std::string> serials) {
  return text_of(serials, [](const std::string& serial) -> const std::string& { return serial; });
}

}  // namespace revcache::revocation
