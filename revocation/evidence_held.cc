// What is held of CRLs: newer ones take the place of older ones, delta CRLs join them or wait for
// their base, and what they no longer name is remembered; holds that other evidence ends.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "pki/cert_id.h"
#include "pki/crl.h"
#include "pki/ocsp_response.h"
#include "revocation/evidence.h"

namespace revcache::revocation {

namespace {

std::uint64_t bytes_of(const pki::VerifiedCrlPtr& crl) {
  return crl == nullptr ? 0 : (*crl)->der.size() + (*crl)->index_bytes();
}

HeldCrl* find_held(Issuer& issuer, const FloorKey& key) {
  const auto found = std::ranges::find(issuer.crls, key, &HeldCrl::key);
  return found == issuer.crls.end() ? nullptr : &*found;
}

// RFC 5280 5.2.4: what the complete CRL was made after has nothing to add to it.
bool is_overtaken(const pki::VerifiedCrl& delta, const pki::VerifiedCrl& complete) {
  return pki::compare_numbers(delta->number, complete->number) <= 0;
}

// A delta that does not fit the complete CRL waits for one that does; what fitted before stays.
void attach_delta(HeldCrl& held, const pki::VerifiedCrlPtr& delta, std::chrono::seconds grace) {
  if (delta == nullptr) return;
  if (pki::may_combine(*held.complete, *delta)) {
    if (!is_overtaken(*delta, *held.complete)) held.waiting_delta = delta;
    return;
  }
  held.delta = delta;
  held.delta_usable_until = *(*delta)->next_update + grace;
}

// `newest_delta`: of this scope, if any.
void place(Issuer& issuer, const pki::VerifiedCrlPtr& crl,
           const pki::VerifiedCrlPtr& newest_delta) {
  const FloorKey key = complete_crl_key(*crl);
  HeldCrl* held = find_held(issuer, key);
  if (!(*crl)->is_delta()) {
    if (held == nullptr) held = &issuer.crls.emplace_back();
    held->key = key;
    held->complete = crl;
    held->usable_until = *(*crl)->next_update + issuer.grace;
    attach_delta(*held, std::exchange(held->delta, nullptr), issuer.grace);
  }
  if (held == nullptr) return;
  held->waiting_delta = nullptr;
  attach_delta(*held, newest_delta, issuer.grace);
}

// The floor keys of OCSP answers about this serial, whatever hash their CertID uses.
std::array<FloorKey, 4> answer_keys(const Issuer& issuer, ByteView serial) {
  constexpr std::array kHashes{pki::CertIdHash::sha1, pki::CertIdHash::sha256,
                               pki::CertIdHash::sha384, pki::CertIdHash::sha512};
  std::array<FloorKey, 4> keys;
  for (std::size_t i = 0; i < kHashes.size(); ++i) {
    constexpr std::array<std::uint8_t, 1> kAnySerial{1};
    const std::string der = pki::encode_cert_id(kHashes[i], *issuer.certificate, kAnySerial);
    auto cert_id = pki::parse_cert_id(as_bytes(der));
    CHECK(cert_id.has_value());
    cert_id->serial = serial;
    keys[i] = ocsp_floor_key(issuer.key, *cert_id);
  }
  return keys;
}

bool lists(const HeldCrl& held, ByteView serial) {
  return held.complete->crl().find(serial) ||
         (held.delta != nullptr && held.delta->crl().find(serial));
}

}  // namespace

EvidenceDates crl_dates(const pki::ParsedCrl& crl) {
  return {.this_update = crl.this_update,
          .next_update = *crl.next_update,
          .next_publish = crl.next_publish};
}

std::optional<Issuer> Evidence::issuer_now(const pki::KeyHash& key) {
  return known_.with([&](Known& known) -> std::optional<Issuer> {
    const Issuer* found = known.find(key);
    return found == nullptr ? std::nullopt : std::optional(*found);
  });
}

pki::VerifiedCrlPtr Evidence::newest_delta(const FloorKey& complete) {
  return known_.with([&](const Known& known) -> pki::VerifiedCrlPtr {
    const auto found = known.deltas.find(complete);
    return found == known.deltas.end() ? nullptr : found->second;
  });
}

// `issuer` is as it stands now: nobody else changes it under its accept_lock.
Result<void> Evidence::hold(const pki::VerifiedCrlPtr& crl, const Issuer& issuer,
                            const cache::AdmissionRequest& request) {
  const FloorKey key = complete_crl_key(*crl);
  if (is_held(*crl, issuer)) {
    report_misfit(crl, issuer, request);
    if (remember_url(*crl, request.url)) publish();
    return {};
  }
  Issuer next = issuer;
  place(next, crl, (*crl)->is_delta() ? crl : newest_delta(key));
  if (!(*crl)->is_delta()) find_held(next, key)->url = request.url;
  report_misfit(crl, next, request);
  const bool fits = known_.with([&](const Known& known) {
    known.drop_superseded(next, {request.url, key}, request.now);
    return known.bytes_with(next, (*crl)->is_delta() ? crl : nullptr) <= options_.bytes_max;
  });
  if (!fits) {
    next.crls = issuer.crls;
    parts_.counters.over_bytes_max.add();
    parts_.log.error("CRL verified, but not kept as evidence",
                     {{"url", request.url}, {"limit", "limits.evidence_bytes"}});
  }
  // What the new CRL does not name any more must be remembered at the moment it is held.
  auto seen = read_seen(next);
  if (!seen) return fail(std::move(seen));
  known_.with([&](Known& known) {
    if (fits && (*crl)->is_delta()) known.deltas.insert_or_assign(key, crl);
    if (Issuer* found = known.find(issuer.key)) {
      found->crls = std::move(next.crls);
      found->seen = std::move(*seen);
    }
    std::erase_if(known.deltas, [&](const auto& waiting) {
      const Issuer* of = known.find(waiting.first.issuer);
      return of == nullptr || request.now >= *(*waiting.second)->next_update + of->grace;
    });
  });
  remember_url(*crl, request.url);
  drop_what_is_revoked(request.now);
  publish();
  return {};
}

// A delta CRL that came and cannot be used, or one that the complete CRL that came leaves waiting.
void Evidence::report_misfit(const pki::VerifiedCrlPtr& crl, const Issuer& issuer,
                             const cache::AdmissionRequest& request) {
  const auto held = std::ranges::find(issuer.crls, complete_crl_key(*crl), &HeldCrl::key);
  if (held == issuer.crls.end()) return;  // its base may still come
  const bool is_delta = (*crl)->is_delta();
  const pki::VerifiedCrlPtr& delta = is_delta ? crl : held->waiting_delta;
  if (delta == nullptr) return;
  const auto misfit = pki::may_combine(*held->complete, *delta);
  if (!misfit) return;
  const auto kind = static_cast<std::size_t>(is_delta ? request.kind : ObjectKind::delta_crl);
  parts_.counters.refused[kind][static_cast<std::size_t>(misfit->reason)].add();
  const auto level =
      is_overtaken(*delta, *held->complete) ? metrics::LogLevel::info : metrics::LogLevel::warning;
  parts_.log.write(
      level, "delta CRL not used",
      {{"url", request.url}, {"reason", to_string(misfit->reason)}, {"detail", misfit->detail}});
}

bool Evidence::is_held(const pki::VerifiedCrl& crl, const Issuer& issuer) {
  const FloorKey key = complete_crl_key(crl);
  if (crl->is_delta()) {
    const auto delta = newest_delta(key);
    return delta != nullptr && delta->hash() == crl.hash();
  }
  const auto held = std::ranges::find(issuer.crls, key, &HeldCrl::key);
  return held != issuer.crls.end() && held->complete->hash() == crl.hash();
}

// True when that changes how many of the configured URLs have given a CRL.
bool Evidence::remember_url(const pki::VerifiedCrl& crl, const std::string& url) {
  const UrlEvidence evidence{.key = complete_crl_key(crl), .dates = crl_dates(crl.crl())};
  return known_.with([&](Known& known) {
    if (known.of_url.size() >= kEvidenceUrlsMax && !known.of_url.contains(url)) {
      parts_.counters.urls_over_max.add();
      return false;
    }
    known.pinned_urls.insert(url);
    const auto before = known.of_url.find(url);
    const bool is_news = before == known.of_url.end() || before->second.key != evidence.key;
    known.of_url.insert_or_assign(url, evidence);
    known.count_configured();
    return is_news;
  });
}

// A CRL that is over, and that no URL gives any more, would be waited for in vain: what it revokes
// is remembered, and other CRLs have taken its place.
void Evidence::Known::drop_superseded(Issuer& issuer,
                                      const std::pair<std::string, FloorKey>& newest,
                                      WallTime now) const {
  std::erase_if(issuer.crls, [&](const HeldCrl& held) {
    if (now < held.usable_until || held.key == newest.second) return false;
    return std::ranges::none_of(of_url, [&](const auto& given) {
      return given.second.key == held.key && given.first != newest.first;
    });
  });
}

// Were `next` what is known of its issuer, and `delta` the newest of its scope.
std::uint64_t Evidence::Known::bytes_with(const Issuer& next,
                                          const pki::VerifiedCrlPtr& delta) const {
  std::set<pki::VerifiedCrlPtr> all{delta};
  const auto add = [&all](const Issuer& issuer) {
    for (const HeldCrl& held : issuer.crls) {
      all.insert(held.complete);
      all.insert(held.delta);
      all.insert(held.waiting_delta);
    }
  };
  add(next);
  for (const Issuer& issuer : issuers) {
    if (issuer.key != next.key) add(issuer);
  }
  for (const auto& [key, waiting] : deltas) {
    if (delta == nullptr || key != complete_crl_key(*delta)) all.insert(waiting);
  }
  std::uint64_t bytes = 0;
  for (const auto& crl : all) bytes += bytes_of(crl);
  return bytes;
}

// Remembered under `key` because an OCSP answer said so.
bool Evidence::is_answered_hold(const FloorKey& key, const SeenRevocation& seen,
                                const Issuer& issuer) {
  if (seen.reason != pki::CrlReason::certificate_hold) return false;
  const auto keys = answer_keys(issuer, as_bytes(seen.serial));
  return std::ranges::find(keys, key) != keys.end();
}

// Those whose floor is older than `this_update`.
Result<bool> Evidence::end_holds(const Holds& holds, WallSeconds this_update) {
  bool ended = false;
  for (const auto& [key, serial] : holds) {
    const auto floor = parts_.state.floor(key);
    if (!floor) return fail(Result<std::optional<Floor>>(floor));
    if (!*floor || (*floor)->this_update >= this_update) continue;
    auto lifted = parts_.state.accept_ocsp(key, **floor, std::nullopt, serial);
    if (!lifted) return fail(std::move(lifted));
    parts_.counters.revocations_lifted.add();
    ended = true;
  }
  return ended;
}

// The newest CRLs seen of this scope, complete and delta, held or not.
Result<bool> Evidence::made_before(WallSeconds time, const pki::VerifiedCrl& crl) {
  for (const FloorKey& key : {complete_crl_key(crl), delta_crl_key(crl)}) {
    const auto floor = parts_.state.floor(key);
    if (!floor) return fail(Result<std::optional<Floor>>(floor));
    if (*floor && (*floor)->this_update >= time) return false;
  }
  return crl->this_update < time;
}

// The remembered holds that a good answer ends. nullopt: it contradicts what revokes the serial,
// which is for good, or as new, or a CRL's that is not at hand to say how new it is.
Result<std::optional<Evidence::Holds>> Evidence::holds_ended_by(const pki::SingleResponse& answer,
                                                                const Issuer& issuer) {
  const auto serial = pki::significant_octets(answer.cert_id.serial);
  const auto keys = answer_keys(issuer, serial);
  Holds holds;
  std::vector<FloorKey> old_crls;
  for (const HeldCrl& held : issuer.crls) {
    const auto is_older = made_before(answer.this_update, *held.complete);
    if (!is_older) return fail(Result<bool>(is_older));
    if (*is_older) old_crls.push_back(held.key);
    if (!*is_older && lists(held, serial)) return std::optional<Holds>();
  }
  bool all_end = true;
  auto read = parts_.state.for_each_seen_of_issuer(
      issuer.key, [&](const FloorKey& key, const SeenRevocation& seen) {
        if (!pki::equal(as_bytes(seen.serial), serial)) return true;
        const bool is_answers = std::ranges::find(keys, key) != keys.end();
        const bool is_old_crls = std::ranges::find(old_crls, key) != old_crls.end();
        if (is_answers) holds.emplace_back(key, seen.serial);
        all_end = all_end && seen.reason == pki::CrlReason::certificate_hold &&
                  (is_answers || is_old_crls);
        return all_end;
      });
  if (!read) return fail(std::move(read));
  for (const auto& [key, text] : holds) {
    if (!all_end) break;
    const auto floor = parts_.state.floor(key);
    if (!floor) return fail(Result<std::optional<Floor>>(floor));
    all_end = *floor && (*floor)->this_update < answer.this_update;
  }
  if (!all_end) return std::optional<Holds>();
  return std::optional(std::move(holds));
}

// Under a CertID of another hash, which has a floor of its own, something else than good.
Result<bool> Evidence::said_otherwise_since(const pki::SingleResponse& good, const Issuer& issuer) {
  const Floor said = floor_of(good);
  for (const FloorKey& key : answer_keys(issuer, good.cert_id.serial)) {
    const auto floor = parts_.state.floor(key);
    if (!floor) return fail(Result<std::optional<Floor>>(floor));
    if (*floor && (*floor)->this_update >= good.this_update && (*floor)->hash != said.hash) {
      return true;
    }
  }
  return false;
}

}  // namespace revcache::revocation
