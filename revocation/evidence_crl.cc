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

// Evidence or not, nothing outside its own dates is stored or served; `grace` is what the
// authorities allow.
std::optional<Refused> outside_its_dates(const pki::ParsedCrl& crl, WallTime now,
                                         std::chrono::seconds grace) {
  if (crl.this_update > now + pki::kClockSkewMax) {
    return Refused{Refusal::not_yet_valid,
                   "thisUpdate " + pki::rfc3339(crl.this_update) + " lies ahead"};
  }
  if (crl.next_update && now >= *crl.next_update + grace) {
    return Refused{Refusal::expired, "nextUpdate " + pki::rfc3339(*crl.next_update) + " is over"};
  }
  return std::nullopt;
}

// When the dates of `crl` are looked at, so that within the grace it passes as in its last second.
WallTime time_to_judge(const pki::ParsedCrl& crl, const Issuer& issuer, WallTime now) {
  const bool in_grace = crl.next_update && now >= *crl.next_update &&
                        now < *crl.next_update + issuer.grace && crl.this_update < *crl.next_update;
  return in_grace ? WallTime(*crl.next_update - std::chrono::seconds(1)) : now;
}

// The signature is the issuer's, yet absence from such a CRL proves nothing: an HTTP object like
// any other.
bool is_genuine(Refusal reason) {
  return reason == Refusal::unknown_critical_extension || reason == Refusal::indirect_crl ||
         reason == Refusal::only_some_reasons || reason == Refusal::no_next_update;
}

// The longest grace of those who have this name; nullopt: nobody has it.
std::optional<std::chrono::seconds> grace_of_name(const Snapshot& known, ByteView name) {
  std::optional<std::chrono::seconds> longest;
  for (const Issuer& issuer : known.issuers()) {
    if (!pki::names_match(issuer.certificate->subject, name)) continue;
    longest = std::max(longest.value_or(issuer.grace), issuer.grace);
  }
  return longest;
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
  const MonotonicTime begun = parts_.clock_guard.monotonic();
  const auto parsed = pki::parse_crl(*der, options_.hash_seed);
  parts_.counters.crl_parse_duration.observe(parts_.clock_guard.monotonic() - begun);
  if (!parsed) return refused(request, parsed.error());
  const SnapshotPtr known = snapshot();
  const auto grace = grace_of_name(*known, (*parsed)->issuer);
  if (const auto outside =
          outside_its_dates(**parsed, request.now, grace.value_or(std::chrono::seconds{0}))) {
    return refused(request, *outside);
  }
  if (may_wait == Waiting::no && grace) return std::nullopt;
  const auto verified = verify_under_known(*parsed, request.now, *known);
  if (verified && *verified != nullptr) return accept_crl(request, *verified);
  if (verified) return without_issuer(request, **parsed);
  if (!is_genuine(verified.error().reason)) return refused(request, verified.error());
  not_evidence(request, verified.error());
  return as_http_object(**parsed);
}

// Nobody known signed it: an HTTP object, where its URL owes no evidence.
Evidence::Judgement Evidence::without_issuer(const cache::AdmissionRequest& request,
                                             const pki::ParsedCrl& crl) {
  const bool owes_evidence =
      known_.with([&](const Known& now) { return now.pinned_urls.contains(request.url); });
  if (owes_evidence) {
    return refused(request,
                   Refused{Refusal::issuer_unknown,
                           "this URL gives CRLs of a known CA, and this one is signed by " +
                               pki::name_text(crl.issuer)});
  }
  parts_.counters.unverified[static_cast<std::size_t>(request.kind)].add();
  return as_http_object(crl);
}

// nullptr: nobody known has this name and key. Several keys may share one name (a renewed CA).
pki::Checked<pki::VerifiedCrlPtr> Evidence::verify_under_known(const pki::ParsedCrlPtr& crl,
                                                               WallTime now,
                                                               const Snapshot& known) const {
  std::optional<Refused> refusal;
  for (const Issuer& issuer : known.issuers()) {
    if (!pki::names_match(issuer.certificate->subject, crl->issuer)) continue;
    auto verified = pki::verify_crl(crl, issuer.certificate, time_to_judge(*crl, issuer, now),
                                    options_.signatures);
    if (!verified) {
      // What the key that fits says of it counts, whichever key was tried first.
      const bool says_more = !refusal || refusal->reason == Refusal::signature_wrong;
      if (verified.error().reason != Refusal::issuer_unknown && says_more) {
        refusal = verified.error();
      }
      continue;
    }
    if (known.chain_is_valid_at(issuer, now)) return verified;
    refusal = Refused{Refusal::issuer_not_entitled,
                      "a certificate in the chain of " +
                          pki::name_text(issuer.certificate->subject) + " is not valid now"};
  }
  if (refusal) return std::unexpected(*std::move(refusal));
  return nullptr;
}

Evidence::Judgement Evidence::accept_crl(const cache::AdmissionRequest& request,
                                         const pki::VerifiedCrlPtr& crl) {
  std::unique_lock one_at_a_time(accept_lock(crl->issuer_key()));
  const pki::ParsedCrl& parsed = crl->crl();
  const auto issuer = issuer_now(crl->issuer_key());
  // Its authority was removed, or it was revoked, while the signature was checked.
  if (!issuer) return without_issuer(request, parsed);
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
  bool lifts = false;
  if (order == FloorOrder::newer) {
    const auto recorded = record_crl(*crl, *issuer);
    if (!recorded) return fail(Result<bool>(recorded));
    lifts = *recorded;
  }
  if (auto saw = parts_.clock_guard.saw(WallTime(parsed.this_update)); !saw) {
    return fail(std::move(saw));
  }
  if (auto held = hold(crl, *issuer, request); !held) return fail(std::move(held));
  parts_.counters.verified[static_cast<std::size_t>(request.kind)].add();
  const EvidenceDates dates = crl_dates(parsed);
  if (learned_) learned_(request.url, dates);
  one_at_a_time.unlock();
  if (lifts) {
    if (auto learned = relearn_issuers(request.now); !learned) return fail(std::move(learned));
  }
  return cache::Admitted{.trust = cache::Trust::verified,
                         .usable_until = WallTime(dates.next_update + issuer->grace),
                         .key = {},
                         .storable = true,
                         .is_failure = false};
}

// Floor and revocations become durable before anybody may rely on the CRL. True: it lifted some.
Result<bool> Evidence::record_crl(const pki::VerifiedCrl& crl, const Issuer& issuer) {
  auto against = diff_against_seen(crl, issuer);
  if (!against) return fail(std::move(against));
  const CrlDiff& diff = against->diff;
  if (auto recorded = record_diff(crl, diff); !recorded) return fail(std::move(recorded));
  report(crl, diff);
  const auto ended = end_holds(against->answered_holds, crl->this_update);
  if (!ended) return ended;
  return *ended || !diff.lifted.empty();
}

Result<void> Evidence::record_diff(const pki::VerifiedCrl& crl, const CrlDiff& diff) {
  const FloorKey complete = complete_crl_key(crl);
  if (!crl->is_delta()) {
    return parts_.state.accept_crl(complete, floor_of(crl), diff.added, diff.lifted);
  }
  // What a delta changes is remembered with the complete CRLs of its scope, whose floor stays
  // (without one: a floor that every CRL is above). Its own floor is raised after that: a crash
  // between the two only repeats the work.
  const auto floor = parts_.state.floor(complete);
  if (!floor) return fail(Result<std::optional<Floor>>(floor));
  auto amended =
      parts_.state.accept_crl(complete, floor->value_or(Floor{}), diff.added, diff.lifted);
  if (!amended) return amended;
  return parts_.state.accept_crl(crl_floor_key(crl), floor_of(crl), {}, {});
}

// All that is remembered of the issuer is read once, where other scopes matter; it may be millions.
Result<Evidence::SeenAgainstCrl> Evidence::diff_against_seen(const pki::VerifiedCrl& crl,
                                                             const Issuer& issuer) {
  const FloorKey key = complete_crl_key(crl);
  const auto held = std::ranges::find(issuer.crls, key, &HeldCrl::key);
  CrlDiffer::Options options;
  if (!crl->is_delta()) {
    if (held != issuer.crls.end()) options.previous = &held->complete->crl();
    // What the newest delta CRL added is not missed by a complete one that was made before it.
    const auto delta_floor = parts_.state.floor(delta_crl_key(crl));
    if (!delta_floor) return fail(Result<std::optional<Floor>>(delta_floor));
    options.absence_counts =
        !*delta_floor || pki::compare_numbers(crl->number, as_bytes((*delta_floor)->number)) >= 0;
  }
  CrlDiffer differ(crl.crl(), options);
  Holds answered_holds;
  const auto in_scope = [&](const SeenRevocation& seen) {
    differ.saw(seen);
    return true;
  };
  const auto of_issuer = [&](const FloorKey& scope, const SeenRevocation& seen) {
    if (scope == key) return in_scope(seen);
    if (is_answered_hold(scope, seen, issuer) && !crl->find(as_bytes(seen.serial))) {
      answered_holds.emplace_back(scope, seen.serial);
    }
    return true;
  };
  // A CRL that certainly covers every certificate, and does not list what an OCSP answer put on
  // hold, may end the hold.
  const bool covers_all = !crl->is_delta() && pki::coverage(crl->scope, std::optional<bool>()) ==
                                                  pki::Coverage::certain;
  auto read = covers_all ? parts_.state.for_each_seen_of_issuer(issuer.key, of_issuer)
                         : parts_.state.for_each_seen(key, in_scope);
  if (!read) return fail(std::move(read));
  auto diff = without_what_is_over(differ.finish(), crl, options.absence_counts);
  if (!diff) return fail(std::move(diff));
  return SeenAgainstCrl{.diff = *std::move(diff), .answered_holds = std::move(answered_holds)};
}

// Of a CRL that was made before the newest of the other kind: what that has said since stays.
Result<CrlDiff> Evidence::without_what_is_over(CrlDiff diff, const pki::VerifiedCrl& crl,
                                               bool absence_counts) {
  if (crl->is_delta()) return without_what_complete_said(std::move(diff), crl);
  if (absence_counts) return diff;
  // What the newest delta CRL lifted is not stated again by a complete one that was made before it.
  if (const auto delta = newest_delta(complete_crl_key(crl))) {
    std::erase_if(diff.added, [&](const SeenRevocation& added) {
      const auto change = delta->crl().find(as_bytes(added.serial));
      return change && change->reason == pki::CrlReason::remove_from_crl;
    });
  }
  return diff;
}

// Of a delta CRL made before the newest complete one: that has said since which holds there are.
Result<CrlDiff> Evidence::without_what_complete_said(CrlDiff diff, const pki::VerifiedCrl& delta) {
  const auto floor = parts_.state.floor(complete_crl_key(delta));
  if (!floor) return fail(Result<std::optional<Floor>>(floor));
  const bool is_newer =
      !*floor || pki::compare_numbers(delta->number, as_bytes((*floor)->number)) > 0;
  if (is_newer) return diff;
  diff.lifted.clear();
  std::erase_if(diff.added, [](const SeenRevocation& added) {
    return added.reason == pki::CrlReason::certificate_hold;
  });
  diff.changed = std::min(diff.changed, diff.added.size());
  return diff;
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

}  // namespace revcache::revocation
