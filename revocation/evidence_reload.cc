// Start, reload and what people say: the authorities, with all that is remembered of them, and
// revocations by hand or declared.
#include <algorithm>
#include <iterator>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "pki/certificate.h"
#include "revocation/evidence.h"

namespace revcache::revocation {

namespace {

using pki::CertificatePtr;

// In order of serial.
std::vector<ManualRevocation> declared_by(const TrustedAuthority& authority,
                                          const pki::KeyHash& key) {
  std::vector<ManualRevocation> declared;
  for (const DeclaredRevocation& one : authority.declared) {
    declared.push_back({.issuer = key,
                        .serial = one.serial,
                        .revoked_at = authority.certificate->not_before,
                        .reason = one.reason,
                        .note = {}});
  }
  std::ranges::sort(declared, {}, &ManualRevocation::serial);
  return declared;
}

// Both in order of serial, and so is what comes out. What was revoked by hand knows when, and keeps
// it.
std::vector<ManualRevocation> joined(const std::vector<ManualRevocation>& by_hand,
                                     const std::vector<ManualRevocation>& declared) {
  std::vector<ManualRevocation> all;
  std::ranges::set_union(by_hand, declared, std::back_inserter(all), {}, &ManualRevocation::serial,
                         &ManualRevocation::serial);
  return all;
}

// After a reload a CA keeps the CRLs that it had, under the grace that it has now, and the answers.
void take_over_evidence(const std::vector<Issuer>& before, Issuer& issuer) {
  const auto known = std::ranges::find(before, issuer.key, &Issuer::key);
  if (known == before.end()) return;
  issuer.crls = known->crls;
  issuer.answers = known->answers;
  for (HeldCrl& held : issuer.crls) {
    held.usable_until = *(*held.complete)->next_update + issuer.grace;
    if (held.delta == nullptr) continue;
    held.delta_usable_until = *(*held.delta)->next_update + issuer.grace;
  }
}

// Which authorities are certified by another one (or by themselves): theirs are CA certificates
// that the other one is asked about.
void link(std::vector<Issuer>& authorities, const pki::SignaturePolicy& policy) {
  for (Issuer& below : authorities) {
    const auto above = std::ranges::find_if(authorities, [&](const Issuer& candidate) {
      return pki::verify_issued_by(*below.certificate, *candidate.certificate, policy).has_value();
    });
    if (above != authorities.end()) below.issued_by = above->key;
  }
}

}  // namespace

// All or nothing: what was known before counts until everything has been read.
Result<void> Evidence::set_authorities(std::vector<TrustedAuthority> authorities, WallTime now) {
  const std::lock_guard no_revocation(authorities_lock_);
  std::vector<std::unique_lock<std::mutex>> nothing_is_accepted;
  for (std::mutex& lock : accept_locks_) nothing_is_accepted.emplace_back(lock);
  const auto before = known_.with([](const Known& known) { return known.issuers; });
  Known next;
  for (TrustedAuthority& authority : authorities) {
    auto made = make_issuer(authority.certificate, authority.grace, before);
    if (!made) return fail(std::move(made));
    made->authority = authority.name;
    made->is_authority = true;
    next.declared[made->key] = declared_by(authority, made->key);
    made->manual = joined(std::move(made->manual), next.declared[made->key]);
    next.issuers.push_back(std::move(*made));
    next.configured_urls.emplace(authority.name, std::move(authority.crl_urls));
  }
  link(next.issuers, options_.signatures);
  // Derived issuers outlive a reload, and a restart, while their chain still ends at an authority.
  auto certificates = stored_issuers();
  if (!certificates) return fail(std::move(certificates));
  for (const Issuer& issuer : before) {
    if (!issuer.is_authority) certificates->push_back(issuer.certificate);
  }
  for (bool progress = true; progress;) {
    progress = false;
    for (const CertificatePtr& certificate : *certificates) {
      auto vouched = vouched_issuer(certificate, next.issuers, now);
      if (!vouched) return fail(std::move(vouched));
      if (!*vouched) continue;
      auto made = make_issuer(certificate, (*vouched)->grace, before);
      if (!made) return fail(std::move(made));
      made->authority = (*vouched)->authority;
      made->vouched_by = (*vouched)->vouched_by;
      next.issuers.push_back(std::move(*made));
      progress = true;
    }
  }
  next.drop_contradicted_answers(now);
  known_.with([&](Known& known) { known.become(std::move(next)); });
  publish();
  return {};
}

// What the URLs of those who are gone owed goes with them.
void Evidence::Known::become(Known next) {
  for (const auto& [name, urls] : configured_urls) {
    for (const auto& url : urls) pinned_urls.erase(url);
  }
  std::erase_if(of_url, [&](const auto& given) {
    const bool gone = next.find(given.second.key.issuer) == nullptr;
    if (gone) pinned_urls.erase(given.first);
    return gone;
  });
  std::erase_if(deltas,
                [&](const auto& delta) { return next.find(delta.first.issuer) == nullptr; });
  issuers = std::move(next.issuers);
  declared = std::move(next.declared);
  configured_urls = std::move(next.configured_urls);
  for (const auto& [url, given] : of_url) pinned_urls.insert(url);
  for (const auto& [name, urls] : configured_urls) pinned_urls.insert(urls.begin(), urls.end());
  count_configured();
}

Result<std::vector<CertificatePtr>> Evidence::stored_issuers() {
  auto stored = parts_.state.issuers();
  if (!stored) return fail(std::move(stored));
  std::vector<CertificatePtr> certificates;
  for (std::string& der : *stored) {
    auto parsed = pki::parse_certificate(SharedBytes::take(std::move(der)));
    if (parsed) certificates.push_back(*std::move(parsed));
  }
  return certificates;
}

// With what the state store remembers of it.
Result<Issuer> Evidence::make_issuer(const CertificatePtr& certificate, std::chrono::seconds grace,
                                     const std::vector<Issuer>& before) {
  Issuer issuer;
  issuer.certificate = certificate;
  issuer.key = pki::key_hash(*certificate);
  issuer.name_sha1 = pki::sha1(certificate->subject);
  issuer.key_sha1 = pki::sha1(certificate->public_key);
  issuer.grace = grace;
  take_over_evidence(before, issuer);
  auto manual = manual_of(issuer.key);
  if (!manual) return fail(std::move(manual));
  issuer.manual = std::move(*manual);
  auto seen = read_seen(issuer);
  if (!seen) return fail(std::move(seen));
  issuer.seen = std::move(*seen);
  return issuer;
}

// In order of serial.
Result<std::vector<ManualRevocation>> Evidence::manual_of(const pki::KeyHash& issuer) {
  auto all = parts_.state.manual_revocations();
  if (!all) return all;
  std::erase_if(*all, [&](const ManualRevocation& other) { return other.issuer != issuer; });
  std::ranges::sort(*all, {}, &ManualRevocation::serial);
  return all;
}

// An issuing CA that was revoked by hand vouches for nothing from now on.
Result<void> Evidence::reload_manual(const pki::KeyHash& key, WallTime now) {
  auto manual = manual_of(key);
  if (!manual) return fail(std::move(manual));
  known_.with([&](Known& known) {
    if (Issuer* issuer = known.find(key)) {
      issuer->manual = joined(std::move(*manual), known.declared[key]);
    }
  });
  drop_what_is_revoked(now);
  publish();
  return {};
}

}  // namespace revcache::revocation
