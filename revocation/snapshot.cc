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

std::optional<Revoked> find_in_crls(const Issuer& issuer, ByteView serial) {
  for (const HeldCrl& held : issuer.crls) {
    const auto entry = pki::find_combined(*held.complete, held.delta.get(), serial);
    if (!entry) continue;
    return Revoked{.source = RevocationSource::crl,
                   .revoked_at = entry->revoked_at,
                   .reason = entry->reason,
                   .invalidity_date = entry->invalidity_date,
                   .crl = held.complete};
  }
  return std::nullopt;
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

SerialStatus Snapshot::status(const Issuer& issuer, ByteView serial, const AboutCertificate& about,
                              WallTime now) {
  if (const auto* manual = find_manual(issuer, serial)) {
    return Revoked{.source = RevocationSource::manual,
                   .revoked_at = manual->revoked_at,
                   .reason = manual->reason,
                   .invalidity_date = {},
                   .crl = nullptr};
  }
  if (auto listed = find_in_crls(issuer, serial)) return *std::move(listed);
  if (issuer.seen != nullptr) {
    if (const auto seen = issuer.seen->find(serial)) {
      return Revoked{.source = RevocationSource::seen,
                     .revoked_at = seen->revoked_at,
                     .reason = seen->reason,
                     .invalidity_date = {},
                     .crl = nullptr};
    }
  }
  if (issuer.crls.empty()) return Unknown{"no CRL of this issuer is held"};
  return absence(issuer, about, now);
}

// Nothing lists the serial. Good only if what covers it certainly is there and valid: one CRL that
// does, or every CRL of those that are configured as this issuer's.
SerialStatus Snapshot::absence(const Issuer& issuer, const AboutCertificate& about, WallTime now) {
  const HeldCrl* first_to_end = nullptr;
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
    if (covers == pki::Coverage::certain) {
      return NotRevoked(held.complete, (*held.complete)->this_update, held.usable_until);
    }
    this_update = std::min(this_update, (*held.complete)->this_update);
    if (first_to_end == nullptr || held.usable_until < first_to_end->usable_until) {
      first_to_end = &held;
    }
  }
  if (!all_valid) return Unknown{"the CRL has expired"};
  const bool whole =
      issuer.configured_crls > 0 && issuer.configured_crls_held >= issuer.configured_crls;
  if (first_to_end != nullptr && whole) {
    return NotRevoked(first_to_end->complete, this_update, first_to_end->usable_until);
  }
  return Unknown{some_cover ? "the CRLs that are held cover only a part"
                            : "no CRL that is held covers this kind of certificate"};
}

}  // namespace revcache::revocation
