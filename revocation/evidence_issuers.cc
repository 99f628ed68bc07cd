// Who may vouch: the authorities, and CA certificates whose chain ends at one.
#include <algorithm>
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

bool may_vouch(const pki::Certificate& certificate) {
  return certificate.is_ca && (certificate.may(pki::KeyUsage::key_cert_sign) ||
                               certificate.may(pki::KeyUsage::crl_sign));
}

// The issuer under which `certificate` verifies, is valid and is not revoked; nullptr: none.
const Issuer* voucher_for(const CertificatePtr& certificate, const std::vector<Issuer>& issuers,
                          const pki::SignaturePolicy& policy, WallTime now) {
  for (const Issuer& issuer : issuers) {
    if (!issuer.certificate->is_valid_at(now)) continue;
    if (!pki::verify_issued_by(*certificate, *issuer.certificate, policy)) continue;
    const auto status =
        Snapshot::status(issuer, certificate->serial,
                         {.certificate = certificate.get(), .is_ca = certificate->is_ca}, now);
    if (!std::holds_alternative<Revoked>(status)) return &issuer;
  }
  return nullptr;
}

// After a reload an authority keeps the CRLs that it had.
void take_over_crls(Issuer* before, Issuer& issuer) {
  if (before == nullptr) return;
  issuer.crls = std::move(before->crls);
  issuer.seen = before->seen;
  for (HeldCrl& held : issuer.crls) {
    held.usable_until = *(*held.complete)->next_update + issuer.grace;
  }
}

}  // namespace

Result<void> Evidence::set_authorities(std::vector<TrustedAuthority> authorities, WallTime now) {
  std::vector<Issuer> issuers;
  std::map<std::string, std::vector<std::string>, std::less<>> configured_urls;
  for (TrustedAuthority& authority : authorities) {
    auto made = make_issuer(authority.certificate);
    if (!made) return fail(std::move(made));
    made->authority = authority.name;
    made->is_authority = true;
    made->grace = authority.grace;
    issuers.push_back(std::move(*made));
    configured_urls.emplace(authority.name, std::move(authority.crl_urls));
  }
  known_.with([&](Known& known) {
    for (Issuer& issuer : issuers) take_over_crls(known.find(issuer.key), issuer);
    for (const auto& [name, urls] : configured_urls) {
      known.pinned_urls.insert(urls.begin(), urls.end());
    }
    known.issuers = std::move(issuers);
    known.configured_urls = std::move(configured_urls);
    known.count_configured();
  });
  // Derived issuers outlive a reload, and a restart, while their chain still ends at an authority.
  auto stored = stored_issuers();
  if (!stored) return fail(std::move(stored));
  if (auto learned = learn_issuers(*stored, now); !learned) return fail(std::move(learned));
  publish();
  return {};
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
Result<Issuer> Evidence::make_issuer(const CertificatePtr& certificate) {
  Issuer issuer;
  issuer.certificate = certificate;
  issuer.key = pki::key_hash(*certificate);
  issuer.name_sha1 = pki::sha1(certificate->subject);
  issuer.key_sha1 = pki::sha1(certificate->public_key);
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

Evidence::Judgement Evidence::judge_certificates(const cache::AdmissionRequest& request,
                                                 Waiting may_wait) {
  const auto parsed = pki::parse_certificates(request.body.text());
  if (!parsed) return refused(request, parsed.error());
  const SnapshotPtr known = snapshot();
  if (may_wait == Waiting::no && !known->issuers().empty()) return std::nullopt;
  bool all_verified = true;
  for (const CertificatePtr& certificate : *parsed) {
    const bool is_known = known->find(pki::key_hash(*certificate)) != nullptr;
    if (is_known || voucher_for(certificate, known->issuers(), options_.signatures, request.now)) {
      continue;
    }
    all_verified = false;
  }
  const auto learned = learn_issuers(*parsed, request.now);
  if (!learned) return fail(Result<std::size_t>(learned));
  if (*learned > 0) publish();
  auto& counters = all_verified ? parts_.counters.verified : parts_.counters.unverified;
  counters[static_cast<std::size_t>(request.kind)].add();
  return cache::Admitted{.trust = all_verified ? cache::Trust::verified : cache::Trust::unverified,
                         .usable_until = {},
                         .key = {},
                         .storable = true,
                         .is_failure = false};
}

// True when `certificate` became an issuer: a CA, valid, not revoked, vouched for by one that is.
// Having been fetched by AIA makes nobody trusted.
Result<bool> Evidence::learn_issuer(const CertificatePtr& certificate, WallTime now) {
  if (!may_vouch(*certificate) || !certificate->is_valid_at(now)) return false;
  const pki::KeyHash key = pki::key_hash(*certificate);
  // A copy, so that signatures are not checked under the lock.
  const auto issuers = known_.with([](const Known& known) { return known.issuers; });
  if (std::ranges::find(issuers, key, &Issuer::key) != issuers.end()) return false;
  const Issuer* voucher = voucher_for(certificate, issuers, options_.signatures, now);
  if (voucher == nullptr) return false;
  if (issuers.size() >= options_.issuers_max) {
    parts_.counters.issuers_over_max.add();
    return false;
  }
  auto made = make_issuer(certificate);
  if (!made) return fail(std::move(made));
  made->authority = voucher->authority;
  made->grace = voucher->grace;
  made->vouched_by = voucher->key;
  if (auto kept = parts_.state.put_issuer(key, certificate->der.text()); !kept) {
    return fail(std::move(kept));
  }
  const auto subject = pki::name_text(certificate->subject);
  parts_.log.info("issuer learned", {{"subject", subject}, {"authority", voucher->authority}});
  return known_.with([&](Known& known) {
    if (std::ranges::find(known.issuers, key, &Issuer::key) != known.issuers.end()) return false;
    known.issuers.push_back(std::move(*made));
    return true;
  });
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
      const auto status =
          Snapshot::status(*voucher, issuer.certificate->serial,
                           {.certificate = issuer.certificate.get(), .is_ca = true}, now);
      return std::holds_alternative<Revoked>(status);
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
  const auto issuer = known_.with([&](Known& known) -> std::optional<Issuer> {
    const Issuer* found = known.find(key);
    return found == nullptr ? std::nullopt : std::optional(*found);
  });
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
