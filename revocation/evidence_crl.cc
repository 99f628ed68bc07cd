// CRLs: verified under a known issuer, compared with the newest seen, recorded, held.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "pki/asn1_time.h"
#include "pki/crl.h"
#include "revocation/evidence.h"

namespace revcache::revocation {

namespace {

using pki::Refusal;
using pki::Refused;

// Evidence or not, nothing outside its own dates is stored or served.
std::optional<Refused> outside_its_dates(const pki::ParsedCrl& crl, WallTime now) {
  if (crl.this_update > now + pki::kClockSkewMax) {
    return Refused{Refusal::not_yet_valid,
                   "thisUpdate " + pki::rfc3339(crl.this_update) + " lies ahead"};
  }
  if (crl.next_update && now >= *crl.next_update) {
    return Refused{Refusal::expired, "nextUpdate " + pki::rfc3339(*crl.next_update) + " is over"};
  }
  return std::nullopt;
}

// The signature is the issuer's, yet absence from such a CRL proves nothing: an HTTP object like
// any other.
bool is_genuine(Refusal reason) {
  return reason == Refusal::unknown_critical_extension || reason == Refusal::indirect_crl ||
         reason == Refusal::only_some_reasons || reason == Refusal::no_next_update;
}

std::uint64_t bytes_of(const pki::VerifiedCrlPtr& crl) {
  return crl == nullptr ? 0 : (*crl)->der.size() + (*crl)->index_bytes();
}

HeldCrl* find_held(Issuer& issuer, const FloorKey& key) {
  const auto found = std::ranges::find(issuer.crls, key, &HeldCrl::key);
  return found == issuer.crls.end() ? nullptr : &*found;
}

// A delta that does not fit the complete CRL waits for one that does.
void attach_delta(HeldCrl& held, pki::VerifiedCrlPtr delta) {
  const bool fits = delta != nullptr && !pki::may_combine(*held.complete, *delta);
  held.delta = fits ? std::move(delta) : nullptr;
}

EvidenceDates dates_of_crl(const pki::ParsedCrl& crl) {
  return {.this_update = crl.this_update,
          .next_update = *crl.next_update,  // there, or it were not verified
          .next_publish = crl.next_publish};
}

bool is_named(const Snapshot& known, ByteView name) {
  return std::ranges::any_of(known.issuers(), [&](const Issuer& issuer) {
    return pki::names_match(issuer.certificate->subject, name);
  });
}

cache::Admitted as_http_object(const pki::ParsedCrl& crl) {
  cache::Admitted admitted;
  if (crl.next_update) admitted.usable_until = WallTime(*crl.next_update);
  return admitted;
}

}  // namespace

Evidence::Judgement Evidence::judge_crl(const cache::AdmissionRequest& request, Waiting may_wait) {
  const auto der = pki::crl_der(request.body);
  if (!der) return refused(request, der.error());
  const auto parsed = pki::parse_crl(*der, options_.hash_seed);
  if (!parsed) return refused(request, parsed.error());
  if (const auto outside = outside_its_dates(**parsed, request.now)) {
    return refused(request, *outside);
  }
  const SnapshotPtr known = snapshot();
  if (may_wait == Waiting::no && is_named(*known, (*parsed)->issuer)) return std::nullopt;
  const auto verified = verify_under_known(*parsed, request.now, *known);
  if (verified && *verified != nullptr) return accept_crl(request, *verified);
  if (!verified && !is_genuine(verified.error().reason)) return refused(request, verified.error());
  if (!verified) {
    not_evidence(request, verified.error());
    return as_http_object(**parsed);
  }
  const bool owes_evidence =
      known_.with([&](const Known& now) { return now.pinned_urls.contains(request.url); });
  if (owes_evidence) {
    return refused(request,
                   Refused{Refusal::issuer_unknown,
                           "this URL gives CRLs of a known CA, and this one is signed by " +
                               pki::name_text((*parsed)->issuer)});
  }
  parts_.counters.unverified[static_cast<std::size_t>(request.kind)].add();
  return as_http_object(**parsed);
}

// nullptr: nobody known has this name and key. Several keys may share one name (a renewed CA).
pki::Checked<pki::VerifiedCrlPtr> Evidence::verify_under_known(const pki::ParsedCrlPtr& crl,
                                                               WallTime now,
                                                               const Snapshot& known) const {
  std::optional<Refused> refusal;
  for (const Issuer& issuer : known.issuers()) {
    if (!pki::names_match(issuer.certificate->subject, crl->issuer)) continue;
    auto verified = pki::verify_crl(crl, issuer.certificate, now, options_.signatures);
    if (!verified) {
      if (verified.error().reason != Refusal::issuer_unknown) refusal = verified.error();
      continue;
    }
    if (issuer.certificate->is_valid_at(now)) return verified;
    refusal = Refused{
        Refusal::issuer_not_entitled,
        "the certificate of " + pki::name_text(issuer.certificate->subject) + " is not valid now"};
  }
  if (refusal) return std::unexpected(*std::move(refusal));
  return nullptr;
}

Evidence::Judgement Evidence::accept_crl(const cache::AdmissionRequest& request,
                                         const pki::VerifiedCrlPtr& crl) {
  const std::lock_guard one_at_a_time(accept_lock(crl->issuer_key()));
  const pki::ParsedCrl& parsed = crl->crl();
  const auto floor = parts_.state.floor(crl_floor_key(*crl));
  if (!floor) return fail(Result<std::optional<Floor>>(floor));
  const FloorOrder order = compare(floor_of(*crl), *floor);
  if (order == FloorOrder::rolled_back) {
    return refused(
        request, Refused{Refusal::rolled_back, "CRL number 0x" + pki::hex(parsed.number) + " of " +
                                                   pki::rfc3339(parsed.this_update) +
                                                   "; the newest seen is of " +
                                                   pki::rfc3339((*floor)->this_update)});
  }
  if (order == FloorOrder::newer) {
    if (auto recorded = record_crl(*crl); !recorded) return fail(std::move(recorded));
  }
  if (auto saw = parts_.clock_guard.saw(WallTime(parsed.this_update)); !saw) {
    return fail(std::move(saw));
  }
  if (auto held = hold(crl, request.url); !held) return fail(std::move(held));
  drop_revoked_issuers(request.now);
  publish();
  parts_.counters.verified[static_cast<std::size_t>(request.kind)].add();
  const EvidenceDates dates = dates_of_crl(parsed);
  if (learned_) learned_(request.url, dates);
  const auto grace = known_.with([&](Known& known) {
    const Issuer* issuer = known.find(crl->issuer_key());
    return issuer == nullptr ? std::chrono::seconds{0} : issuer->grace;
  });
  return cache::Admitted{.trust = cache::Trust::verified,
                         .usable_until = WallTime(dates.next_update + grace),
                         .key = {},
                         .storable = true,
                         .is_failure = false};
}

// Floor and revocations become durable before anybody may rely on the CRL.
Result<void> Evidence::record_crl(const pki::VerifiedCrl& crl) {
  auto diff = diff_against_seen(crl);
  if (!diff) return fail(std::move(diff));
  report(crl, *diff);
  const FloorKey complete = complete_crl_key(crl);
  if (!crl->is_delta()) {
    return parts_.state.accept_crl(complete, floor_of(crl), diff->added, diff->lifted);
  }
  // What a delta changes is remembered with the complete CRLs of its scope, whose floor stays. Its
  // own floor is raised after that: a crash between the two only repeats the work.
  const auto floor = parts_.state.floor(complete);
  if (!floor) return fail(Result<std::optional<Floor>>(floor));
  if (*floor) {
    auto amended = parts_.state.accept_crl(complete, **floor, diff->added, diff->lifted);
    if (!amended) return amended;
    return parts_.state.accept_crl(crl_floor_key(crl), floor_of(crl), {}, {});
  }
  return parts_.state.accept_crl(crl_floor_key(crl), floor_of(crl), diff->added, diff->lifted);
}

Result<CrlDiff> Evidence::diff_against_seen(const pki::VerifiedCrl& crl) {
  const FloorKey key = complete_crl_key(crl);
  const auto held = known_.with([&](Known& known) -> std::optional<HeldCrl> {
    Issuer* issuer = known.find(crl.issuer_key());
    const HeldCrl* found = issuer == nullptr ? nullptr : find_held(*issuer, key);
    return found == nullptr ? std::nullopt : std::optional(*found);
  });
  CrlDiffer::Options options;
  if (!crl->is_delta()) {
    if (held) options.previous = &held->complete->crl();
    // What the newest delta CRL added is not missed by a complete one that was made before it.
    const auto delta_floor = parts_.state.floor(delta_crl_key(crl));
    if (!delta_floor) return fail(Result<std::optional<Floor>>(delta_floor));
    options.absence_counts =
        !*delta_floor || pki::compare_numbers(crl->number, as_bytes((*delta_floor)->number)) >= 0;
  }
  CrlDiffer differ(crl.crl(), options);
  auto read = parts_.state.for_each_seen(key, [&](const SeenRevocation& seen) {
    differ.saw(seen);
    return true;
  });
  if (!read) return fail(std::move(read));
  return differ.finish();
}

void Evidence::report(const pki::VerifiedCrl& crl, const CrlDiff& diff) {
  parts_.counters.revocations_added.add(diff.added_count());
  parts_.counters.revocations_lifted.add(diff.lifted.size());
  parts_.counters.revocations_disappeared.add(diff.newly_disappeared);
  const auto issuer = pki::name_text(crl.issuer()->subject);
  const auto number = pki::hex(crl->number);
  const auto added = serials_text(diff.added);
  const auto lifted = serials_text(diff.lifted);
  parts_.log.info("CRL accepted", {{"issuer", issuer},
                                   {"number", number},
                                   {"entries", static_cast<std::int64_t>(crl->entries)},
                                   {"added", added},
                                   {"lifted", lifted}});
  if (diff.newly_disappeared == 0) return;
  const auto gone = serials_text(diff.disappeared);
  parts_.log.error("revoked serials left the CRL without being lifted; they stay revoked here",
                   {{"issuer", issuer}, {"number", number}, {"serials", gone}});
}

Result<void> Evidence::hold(const pki::VerifiedCrlPtr& crl, const std::string& url) {
  const bool kept = known_.with([&](Known& known) {
    known.pinned_urls.insert(url);
    Issuer* issuer = known.find(crl->issuer_key());
    if (issuer == nullptr) return true;  // its authority has just been removed
    known.of_url.insert_or_assign(
        url, UrlEvidence{.key = complete_crl_key(*crl), .dates = dates_of_crl(crl->crl())});
    return hold_in(known, *issuer, crl, url);
  });
  if (!kept) {
    parts_.counters.over_bytes_max.add();
    parts_.log.error("CRL verified, but not kept as evidence",
                     {{"url", url}, {"limit", "limits.evidence_bytes"}});
  }
  return reload_seen(crl->issuer_key());
}

// False: it would be over the limit; what was held before is held on.
bool Evidence::hold_in(Known& known, Issuer& issuer, const pki::VerifiedCrlPtr& crl,
                       const std::string& url) const {
  const FloorKey key = complete_crl_key(*crl);
  std::uint64_t bytes = bytes_of(crl);
  for (const Issuer& other : known.issuers) {
    for (const HeldCrl& held : other.crls) {
      const bool replaced = &other == &issuer && held.key == key;
      if (!replaced || (*crl)->is_delta()) bytes += bytes_of(held.complete);
      if (!replaced) bytes += bytes_of(held.delta);
    }
  }
  if (bytes > options_.bytes_max) return false;
  HeldCrl* held = find_held(issuer, key);
  if ((*crl)->is_delta()) {
    if (held != nullptr) attach_delta(*held, crl);
    return true;
  }
  if (held == nullptr) {
    issuer.crls.push_back(
        HeldCrl{.key = key, .url = {}, .complete = nullptr, .delta = nullptr, .usable_until = {}});
    held = &issuer.crls.back();
  }
  held->url = url;
  held->complete = crl;
  held->usable_until = *(*crl)->next_update + issuer.grace;
  attach_delta(*held, std::exchange(held->delta, nullptr));
  known.count_configured();
  return true;
}

}  // namespace revcache::revocation
