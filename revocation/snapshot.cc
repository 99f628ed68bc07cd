#include "revocation/snapshot.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "pki/ocsp_response.h"

namespace revcache::revocation {

namespace {

const ManualRevocation* find_manual(const Issuer& issuer, ByteView serial) {
  const auto wanted = as_text(pki::significant_octets(serial));
  const auto found = std::ranges::lower_bound(issuer.manual, wanted, {}, &ManualRevocation::serial);
  return found != issuer.manual.end() && found->serial == wanted ? &*found : nullptr;
}

Revoked listed(const pki::RevokedEntry& entry, const pki::VerifiedCrlPtr& by) {
  return {.source = RevocationSource::crl,
          .revoked_at = entry.revoked_at,
          .reason = entry.reason,
          .invalidity_date = entry.invalidity_date,
          .crl = by};
}

// RFC 5280 6.3.3: the delta CRL first. One that is over lifts nothing any more: what the complete
// CRL lists counts again.
std::optional<Revoked> find_in_crl(const HeldCrl& held, ByteView serial, WallTime now) {
  constexpr auto kRemoved = pki::CrlReason::remove_from_crl;
  if (held.delta != nullptr) {
    const auto change = held.delta->crl().find(serial);
    if (change && change->reason != kRemoved) return listed(*change, held.delta);
    if (change && now < held.delta_usable_until) return std::nullopt;
  }
  const auto entry = held.complete->crl().find(serial);
  if (!entry || entry->reason == kRemoved) return std::nullopt;
  return listed(*entry, held.complete);
}

bool is_hold(const Revoked& revoked) { return revoked.reason == pki::CrlReason::certificate_hold; }

// Of several that list it: one for good, before a hold.
std::optional<Revoked> find_in_crls(const Issuer& issuer, ByteView serial, WallTime now) {
  std::optional<Revoked> hold;
  for (const HeldCrl& held : issuer.crls) {
    auto found = find_in_crl(held, serial, now);
    if (!found) continue;
    if (!is_hold(*found)) return found;
    hold = std::move(found);
  }
  return hold;
}

std::optional<Revoked> find_seen(const Issuer& issuer, ByteView serial) {
  if (issuer.seen == nullptr) return std::nullopt;
  const auto seen = issuer.seen->find(serial);
  if (!seen) return std::nullopt;
  return Revoked{.source = RevocationSource::seen,
                 .revoked_at = seen->revoked_at,
                 .reason = seen->reason,
                 .invalidity_date = {},
                 .crl = nullptr};
}

HeldAnswerPtr find_answer(const Issuer& issuer, ByteView serial, WallTime now) {
  if (issuer.answers == nullptr) return nullptr;
  auto answer = issuer.answers->find(serial);
  if (answer == nullptr || now >= answer->next_update) return nullptr;
  // The clock went back since it was held.
  if (answer->this_update > now + pki::kClockSkewMax) return nullptr;
  return answer;
}

pki::Coverage coverage_of(const HeldCrl& held, const AboutCertificate& about) {
  const pki::CrlScope& scope = (*held.complete)->scope;
  return about.certificate != nullptr ? pki::coverage(scope, *about.certificate)
                                      : pki::coverage(scope, about.is_ca);
}

}  // namespace

std::string_view to_string(RevocationSource source) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"manual", "seen", "crl"};
  return kNames[static_cast<std::size_t>(source)];
}

Snapshot::Snapshot(std::vector<Issuer> issuers) : issuers_(std::move(issuers)) {}

const Issuer* Snapshot::find(const pki::CertId& cert_id) const {
  for (const Issuer& issuer : issuers_) {
    if (cert_id.hash == pki::CertIdHash::sha1) {
      // What Windows sends: answered from hashes that were made when the issuer was learned.
      if (pki::equal(cert_id.issuer_key_hash, issuer.key_sha1) &&
          pki::equal(cert_id.issuer_name_hash, issuer.name_sha1)) {
        return &issuer;
      }
    } else if (pki::cert_id_names_issuer(cert_id, *issuer.certificate)) {
      return &issuer;
    }
  }
  return nullptr;
}

const Issuer* Snapshot::find(const pki::KeyHash& key) const noexcept {
  const auto found = std::ranges::find(issuers_, key, &Issuer::key);
  return found == issuers_.end() ? nullptr : &*found;
}

bool Snapshot::chain_is_valid_at(const Issuer& issuer, WallTime now) const noexcept {
  const Issuer* link = &issuer;
  for (std::size_t steps = 0; steps <= issuers_.size(); ++steps) {
    if (!link->certificate->is_valid_at(now)) return false;
    if (link->is_authority) return true;
    link = find(link->vouched_by);
    if (link == nullptr) return false;
  }
  return false;
}

SerialStatus Snapshot::status(const Issuer& issuer, ByteView serial, const AboutCertificate& about,
                              WallTime now) {
  if (const auto* manual = find_manual(issuer, serial)) {
    return Revoked{.source = RevocationSource::manual,
                   .revoked_at = manual->revoked_at,
                   .reason = manual->reason,
                   .invalidity_date = {},
                   .crl = nullptr};
  }
  auto in_crl = find_in_crls(issuer, serial, now);
  if (in_crl && !is_hold(*in_crl)) return *std::move(in_crl);
  if (auto seen = find_seen(issuer, serial); seen && (!in_crl || !is_hold(*seen))) {
    return *std::move(seen);
  }
  if (in_crl) return *std::move(in_crl);
  auto by_crls = absence(issuer, serial, about, now);
  if (!std::holds_alternative<Unknown>(by_crls)) return by_crls;
  if (auto answer = find_answer(issuer, serial, now)) return NotRevoked(std::move(answer));
  return by_crls;
}

namespace {

// Until when `held` proves that it is not revoked: not longer than the delta CRL that lifted it.
WallSeconds absent_until(const HeldCrl& held, ByteView serial) {
  const bool lifted =
      held.delta != nullptr && held.delta->crl().find(serial) && held.complete->crl().find(serial);
  return lifted ? std::min(held.usable_until, held.delta_usable_until) : held.usable_until;
}

}  // namespace

// Nothing lists the serial. Good only if what covers it certainly is there and valid: one CRL that
// does, or every CRL of those that are configured as this issuer's.
SerialStatus Snapshot::absence(const Issuer& issuer, ByteView serial, const AboutCertificate& about,
                               WallTime now) {
  if (issuer.crls.empty()) return Unknown{"no CRL of this issuer is held"};
  const HeldCrl* first_to_end = nullptr;
  WallSeconds first_end = WallSeconds::max();
  WallSeconds this_update = WallSeconds::max();
  bool all_valid = true;
  bool some_cover = false;
  for (const HeldCrl& held : issuer.crls) {
    const pki::Coverage covers = coverage_of(held, about);
    if (covers == pki::Coverage::none) continue;
    some_cover = true;
    if (now >= held.usable_until) {
      all_valid = false;
      continue;
    }
    const WallSeconds until = absent_until(held, serial);
    if (covers == pki::Coverage::certain) {
      return NotRevoked(held.complete, (*held.complete)->this_update, until);
    }
    this_update = std::min(this_update, (*held.complete)->this_update);
    if (until >= first_end) continue;
    first_to_end = &held;
    first_end = until;
  }
  if (!all_valid) return Unknown{"the CRL has expired"};
  const bool whole =
      issuer.configured_crls > 0 && issuer.configured_crls_held >= issuer.configured_crls;
  if (first_to_end != nullptr && whole) {
    return NotRevoked(first_to_end->complete, this_update, first_end);
  }
  return Unknown{some_cover ? "the CRLs that are held cover only a part"
                            : "no CRL that is held covers this kind of certificate"};
}

}  // namespace revcache::revocation
