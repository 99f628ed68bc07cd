// Who may vouch: the authorities, and CA certificates whose chain ends at one.
#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "pki/certificate.h"
#include "revocation/evidence.h"

namespace revcache::revocation {

namespace {

using pki::CertificatePtr;
using pki::Refusal;
using pki::Refused;

// RFC 5280 4.2: a critical extension that nobody here understands may forbid it.
bool may_vouch(const pki::Certificate& certificate) {
  return certificate.is_ca && certificate.unknown_critical_extensions.empty() &&
         (certificate.may(pki::KeyUsage::key_cert_sign) ||
          certificate.may(pki::KeyUsage::crl_sign));
}

const Issuer* find_issuer(const std::vector<Issuer>& issuers, const pki::KeyHash& key) {
  const auto found = std::ranges::find(issuers, key, &Issuer::key);
  return found == issuers.end() ? nullptr : &*found;
}

// RFC 5280 6.1.4 (l), (m): one more CA below `voucher` is within the path length constraints.
bool path_allows_one_below(const Issuer& voucher, const std::vector<Issuer>& issuers) {
  std::size_t below = 1;
  const Issuer* link = &voucher;
  for (std::size_t steps = 0; link != nullptr && steps <= issuers.size(); ++steps) {
    const auto& longest = link->certificate->path_length_max;
    if (longest && below > *longest) return false;
    if (link->is_authority) return true;
    if (!link->certificate->is_self_issued()) ++below;
    link = find_issuer(issuers, link->vouched_by);
  }
  return false;
}

bool is_revoked_by(const Issuer& voucher, const pki::Certificate& certificate, WallTime now) {
  const auto status = Snapshot::status(
      voucher, certificate.serial, {.certificate = &certificate, .is_ca = certificate.is_ca}, now);
  return std::holds_alternative<Revoked>(status);
}

// The issuer under which `certificate` verifies, is valid and is not revoked; nullptr: none.
const Issuer* voucher_for(const CertificatePtr& certificate, const std::vector<Issuer>& issuers,
                          const pki::SignaturePolicy& policy, WallTime now) {
  for (const Issuer& issuer : issuers) {
    if (!issuer.certificate->is_valid_at(now)) continue;
    if (!pki::verify_issued_by(*certificate, *issuer.certificate, policy)) continue;
    if (!is_revoked_by(issuer, *certificate, now)) return &issuer;
  }
  return nullptr;
}

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

// After a reload a CA keeps the CRLs that it had, under the grace that it has now.
void take_over_crls(const std::vector<Issuer>& before, Issuer& issuer) {
  const Issuer* known = find_issuer(before, issuer.key);
  if (known == nullptr) return;
  issuer.crls = known->crls;
  for (HeldCrl& held : issuer.crls) {
    held.usable_until = *(*held.complete)->next_update + issuer.grace;
    if (held.delta == nullptr) continue;
    held.delta_usable_until = *(*held.delta)->next_update + issuer.grace;
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

// In as many rounds as the chains among them are long.
Result<std::size_t> Evidence::learn_issuers(const std::vector<CertificatePtr>& certificates,
                                            WallTime now) {
  std::size_t total = 0;
  for (bool progress = true; progress;) {
    progress = false;
    for (const CertificatePtr& certificate : certificates) {
      const auto learned = learn_issuer(certificate, now);
      if (!learned) return fail(Result<bool>(learned));
      if (!*learned) continue;
      progress = true;
      ++total;
    }
  }
  return total;
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
  take_over_crls(before, issuer);
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
  drop_revoked_issuers(now);
  publish();
  return {};
}

Evidence::Judgement Evidence::judge_certificates(const cache::AdmissionRequest& request,
                                                 Waiting may_wait) {
  const auto parsed = pki::parse_certificates(request.body.text());
  if (!parsed) return refused(request, parsed.error());
  const SnapshotPtr known = snapshot();
  if (may_wait == Waiting::no && !known->issuers().empty()) return std::nullopt;
  bool all_verified = true;
  for (const CertificatePtr& certificate : *parsed) {
    const Issuer* issuer = known->find(pki::key_hash(*certificate));
    const bool is_known =
        issuer != nullptr && pki::equal(issuer->certificate->der.bytes(), certificate->der.bytes());
    if (is_known || voucher_for(certificate, known->issuers(), options_.signatures, request.now)) {
      continue;
    }
    all_verified = false;
  }
  if (may_wait == Waiting::yes) {
    const auto learned = learn_issuers(*parsed, request.now);
    if (!learned) return fail(Result<std::size_t>(learned));
    if (*learned > 0) publish();
  }
  auto& counters = all_verified ? parts_.counters.verified : parts_.counters.unverified;
  counters[static_cast<std::size_t>(request.kind)].add();
  return cache::Admitted{.trust = all_verified ? cache::Trust::verified : cache::Trust::unverified,
                         .usable_until = {},
                         .key = {},
                         .storable = true,
                         .is_failure = false};
}

// What `certificate` would be: a CA, valid, not revoked, vouched for by one of them. Having been
// fetched by AIA makes nobody trusted. Of one key, the certificate that is valid longest counts.
Result<std::optional<Issuer>> Evidence::vouched_issuer(const CertificatePtr& certificate,
                                                       const std::vector<Issuer>& issuers,
                                                       WallTime now) {
  if (!may_vouch(*certificate) || !certificate->is_valid_at(now)) return std::optional<Issuer>();
  const pki::KeyHash key = pki::key_hash(*certificate);
  if (find_issuer(issuers, key) != nullptr) return std::optional<Issuer>();
  const Issuer* voucher = voucher_for(certificate, issuers, options_.signatures, now);
  if (voucher == nullptr || !path_allows_one_below(*voucher, issuers)) {
    return std::optional<Issuer>();
  }
  if (issuers.size() >= options_.issuers_max) {
    parts_.counters.issuers_over_max.add();
    return std::optional<Issuer>();
  }
  Issuer vouched;
  vouched.certificate = certificate;
  vouched.key = key;
  vouched.authority = voucher->authority;
  vouched.grace = voucher->grace;
  vouched.vouched_by = voucher->key;
  return std::optional(std::move(vouched));
}

// True when `certificate` became an issuer.
Result<bool> Evidence::learn_issuer(const CertificatePtr& certificate, WallTime now) {
  const pki::KeyHash key = pki::key_hash(*certificate);
  // A copy, so that signatures are not checked under the lock.
  auto issuers = known_.with([](const Known& known) { return known.issuers; });
  // A CA that was certified anew for its old key: as if it were not known.
  const Issuer* known_as = find_issuer(issuers, key);
  const bool renews = known_as != nullptr && !known_as->is_authority &&
                      known_as->certificate->not_after < certificate->not_after &&
                      pki::names_match(known_as->certificate->subject, certificate->subject);
  if (renews) std::erase_if(issuers, [&](const Issuer& issuer) { return issuer.key == key; });
  auto vouched = vouched_issuer(certificate, issuers, now);
  if (!vouched) return fail(std::move(vouched));
  if (!*vouched) return false;
  const std::lock_guard one_at_a_time(accept_lock(key));
  const auto before = known_.with([](const Known& known) { return known.issuers; });
  auto made = make_issuer(certificate, (*vouched)->grace, before);
  if (!made) return fail(std::move(made));
  made->authority = (*vouched)->authority;
  made->vouched_by = (*vouched)->vouched_by;
  if (auto kept = parts_.state.put_issuer(key, certificate->der.text()); !kept) {
    return fail(std::move(kept));
  }
  const auto subject = pki::name_text(certificate->subject);
  parts_.log.info("issuer learned", {{"subject", subject}, {"authority", made->authority}});
  return known_.with([&](Known& known) { return known.admit(std::move(*made), now); });
}

// False: meanwhile somebody else learned it, or its voucher went or revoked it.
bool Evidence::Known::admit(Issuer issuer, WallTime now) {
  const Issuer* voucher = find(issuer.vouched_by);
  if (voucher == nullptr || is_revoked_by(*voucher, *issuer.certificate, now)) return false;
  Issuer* there = find(issuer.key);
  if (there == nullptr) {
    issuers.push_back(std::move(issuer));
    return true;
  }
  const bool longer = there->certificate->not_after < issuer.certificate->not_after;
  if (there->is_authority || !longer) return false;
  *there = std::move(issuer);
  return true;
}

Result<void> Evidence::relearn_issuers(WallTime now) {
  auto stored = stored_issuers();
  if (!stored) return fail(std::move(stored));
  const auto learned = learn_issuers(*stored, now);
  if (!learned) return fail(Result<std::size_t>(learned));
  if (*learned > 0) publish();
  return {};
}

// A derived CA that newer evidence revokes vouches for nothing any more, nor does what it vouched
// for.
void Evidence::drop_revoked_issuers(WallTime now) {
  std::vector<std::string> dropped;
  known_.with([&](Known& known) {
    const auto is_out = [&](const Issuer& issuer) {
      if (issuer.is_authority) return false;
      const auto voucher = std::ranges::find(known.issuers, issuer.vouched_by, &Issuer::key);
      if (voucher == known.issuers.end()) return true;
      return is_revoked_by(*voucher, *issuer.certificate, now);
    };
    for (bool progress = true; progress;) {
      const auto out = std::ranges::find_if(known.issuers, is_out);
      progress = out != known.issuers.end();
      if (!progress) break;
      dropped.push_back(pki::name_text(out->certificate->subject));
      known.issuers.erase(out);
    }
  });
  for (const auto& subject : dropped) {
    parts_.log.error("issuer revoked: its evidence counts no more", {{"subject", subject}});
  }
}

Result<void> Evidence::reload_seen(const pki::KeyHash& key) {
  const auto issuer = issuer_now(key);
  if (!issuer) return {};
  auto seen = read_seen(*issuer);
  if (!seen) return fail(std::move(seen));
  known_.with([&](Known& known) {
    if (Issuer* found = known.find(key)) found->seen = std::move(*seen);
  });
  return {};
}

// What was seen of `issuer` and is not in the CRLs that it has: those name the rest.
Result<std::shared_ptr<const SeenRevocations>> Evidence::read_seen(const Issuer& issuer) {
  SeenRevocations::Builder rest(options_.hash_seed);
  bool all_fit = true;
  auto read = parts_.state.for_each_seen_of_issuer(issuer.key, [&](const FloorKey& key,
                                                                   const SeenRevocation& seen) {
    const auto held = std::ranges::find(issuer.crls, key, &HeldCrl::key);
    const bool named =
        held != issuer.crls.end() &&
        pki::find_combined(*held->complete, held->delta.get(), as_bytes(seen.serial)).has_value();
    if (!named) {
      all_fit =
          rest.add(as_bytes(seen.serial), {.revoked_at = seen.revoked_at, .reason = seen.reason});
    }
    return all_fit;
  });
  if (!read) return fail(std::move(read));
  if (!all_fit) {
    return fail(ErrorCode::too_large, Blame::local, "more revocations are remembered than fit");
  }
  return std::make_shared<const SeenRevocations>(std::move(rest).build());
}

}  // namespace revcache::revocation
