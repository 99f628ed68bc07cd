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

}  // namespace

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
  const auto authority = made->authority;
  const bool admitted =
      known_.with([&](Known& known) { return known.admit(std::move(*made), now); });
  if (admitted) {
    const auto subject = pki::name_text(certificate->subject);
    parts_.log.info("issuer learned", {{"subject", subject}, {"authority", authority}});
  }
  return admitted;
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
// for; a held answer is over when something contradicts it, even if that is lifted later.
void Evidence::drop_what_is_revoked(WallTime now) {
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
    known.drop_contradicted_answers(now);
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
