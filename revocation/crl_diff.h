// What a newly verified CRL changes in what was seen before under its scope (SPEC: revoked is
// remembered until newer verified evidence lifts it). Pure; one thread at a time. Linear in both,
// and beside its result it needs one bit for each 16 octets of the CRL: what was seen need not be
// in memory.
//
//   CrlDiffer differ(*crl, {});
//   store.for_each_seen(complete_crl_key(crl), [&](const SeenRevocation& revocation) {
//     differ.saw(revocation);
//     return true;
//   });
//   CrlDiff diff = differ.finish();
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "pki/crl.h"
#include "revocation/floor.h"
#include "revocation/state_store.h"

namespace revcache::revocation {

struct CrlDiff {
  // Listed now, and not seen before or seen with another date or reason.
  std::vector<SeenRevocation> added;
  std::size_t changed = 0;  // of `added`: seen before
  // Seen, and verified evidence now says that it is over: a hold that a complete CRL no longer
  // lists, or removeFromCRL in a delta CRL (RFC 5280 5.3.1).
  std::vector<std::string> lifted;
  // Seen, no longer listed, and the certificate is known to have expired before thisUpdate: nothing
  // wrong (RFC 5280 3.3). Stays revoked unless the caller adds it to what is lifted.
  std::vector<std::string> expired;
  // Seen, no longer listed by a complete CRL, and nothing explains it. Stays revoked; an alarm.
  std::vector<SeenRevocation> disappeared;
  std::size_t newly_disappeared = 0;  // of `disappeared`: the CRL before this one listed them

  // Against the CRL before this one, for people.
  std::size_t removed = 0;  // what is lifted, and what is newly absent for whatever reason
  [[nodiscard]] std::size_t added_count() const noexcept { return added.size() - changed; }
  [[nodiscard]] std::size_t removed_before_expiry() const noexcept {
    return lifted.size() + newly_disappeared;
  }
};

class CrlDiffer {
 public:
  struct Options {
    // The CRL of this scope that was in use until now. nullptr: not at hand, as after a restart;
    // then whatever is absent counts as newly absent.
    const pki::ParsedCrl* previous = nullptr;
    // False: that a serial is not listed says nothing, as for a complete CRL that was made before
    // the newest delta CRL seen. (A delta CRL's silence never says anything.)
    bool absence_counts = true;
    // When the certificate with this serial ends, where that is known.
    std::function<std::optional<WallSeconds>(ByteView serial)> expiry;
  };

  // `crl`, and what the options point at, outlive the differ.
  CrlDiffer(const pki::ParsedCrl& crl, Options options);

  // Once for each revocation remembered under complete_crl_key(), in any order.
  void saw(const SeenRevocation& seen);
  // Once, after them.
  CrlDiff finish();

 private:
  void add_if_changed(const SeenRevocation& seen, const pki::RevokedEntry& entry);
  void judge_absent(const SeenRevocation& seen);
  void mark(ByteView serial);
  [[nodiscard]] bool is_marked(ByteView serial) const;
  [[nodiscard]] bool was_listed_before(ByteView serial) const;
  // Of a serial inside the DER.
  [[nodiscard]] std::size_t slot_of(ByteView serial) const;

  const pki::ParsedCrl& crl_;
  Options options_;
  CrlDiff diff_;
  std::vector<bool> seen_entries_;  // by the place of the entry's serial in the DER
};

// "0a1b, 0c2d and 12 more": the first few (kSerialsInText) serials, for a log line. Empty: "".
inline constexpr std::size_t kSerialsInText = 5;
std::string serials_text(std::span<const SeenRevocation> revocations);
std::string serials_text(std::span<const std::string> serials);

}  // namespace revcache::revocation
