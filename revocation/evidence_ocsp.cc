// OCSP answers: the question answered, verified under a known issuer, never older than the newest
// seen, never good for what other evidence revokes.
#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "pki/asn1_time.h"
#include "pki/ocsp_response.h"
#include "revocation/evidence.h"

namespace revcache::revocation {

namespace {

using pki::Refusal;
using pki::Refused;

std::optional<Refused> outside_its_dates(const pki::SingleResponse& answer, WallTime now) {
  if (answer.this_update > now + pki::kClockSkewMax) {
    return Refused{Refusal::not_yet_valid,
                   "thisUpdate " + pki::rfc3339(answer.this_update) + " lies ahead"};
  }
  if (answer.next_update && now >= *answer.next_update) {
    return Refused{Refusal::expired,
                   "nextUpdate " + pki::rfc3339(*answer.next_update) + " is over"};
  }
  return std::nullopt;
}

// RFC 6960 3.2 (1): the answer must be about the certificate that was asked for.
const pki::SingleResponse* answer_to(ByteView question_der,
                                     const pki::ParsedOcspResponse& response) {
  if (question_der.empty()) return &response.responses.front();
  const auto question = pki::parse_ocsp_question(question_der);
  if (!question) return &response.responses.front();
  const pki::CertId& asked = question->cert_id;
  // NULL parameters of the hash algorithm may come and go between question and answer.
  const auto found = std::ranges::find_if(response.responses, [&](const auto& single) {
    const pki::CertId& given = single.cert_id;
    return given.hash == asked.hash && pki::equal(given.issuer_name_hash, asked.issuer_name_hash) &&
           pki::equal(given.issuer_key_hash, asked.issuer_key_hash) &&
           pki::equal(given.serial, asked.serial);
  });
  return found == response.responses.end() ? nullptr : &*found;
}

std::optional<WallTime> until_of(const pki::SingleResponse& answer) {
  if (!answer.next_update) return std::nullopt;
  return WallTime(*answer.next_update);
}

cache::Admitted admitted(const pki::SingleResponse& answer, cache::Trust trust) {
  return cache::Admitted{.trust = trust,
                         .usable_until = until_of(answer),
                         .key = {},
                         .storable = true,
                         .is_failure = false};
}

}  // namespace

Evidence::Judgement Evidence::judge_ocsp(const cache::AdmissionRequest& request, Waiting may_wait) {
  const auto parsed = pki::parse_ocsp_response(request.body);
  if (!parsed) return refused(request, parsed.error());
  const pki::ParsedOcspResponse& response = **parsed;
  if (response.status != pki::OcspResponseStatus::successful) {
    not_evidence(request,
                 Refused{Refusal::not_successful,
                         "the responder says " + std::string(pki::to_string(response.status))});
    return cache::Admitted{.trust = cache::Trust::unverified,
                           .usable_until = {},
                           .key = {},
                           .storable = false,
                           .is_failure = true};
  }
  const auto* answer = answer_to(request.request_body.bytes(), response);
  if (answer == nullptr) {
    return refused(request, Refused{Refusal::cert_id_mismatch,
                                    "the answer is about another certificate than was asked for"});
  }
  if (const auto outside = outside_its_dates(*answer, request.now))
    return refused(request, *outside);
  const SnapshotPtr known = snapshot();
  const Issuer* issuer = known->find(answer->cert_id);
  if (issuer == nullptr) {
    parts_.counters.unverified[static_cast<std::size_t>(request.kind)].add();
    return admitted(*answer, cache::Trust::unverified);
  }
  if (may_wait == Waiting::no) return std::nullopt;
  const auto verified = pki::verify_ocsp_response(*parsed, *issuer->certificate, {}, request.now,
                                                  options_.signatures);
  if (!verified) return refused(request, verified.error());
  if (!known->chain_is_valid_at(*issuer, request.now)) {
    return refused(request,
                   Refused{Refusal::issuer_not_entitled,
                           "a certificate in the chain of " +
                               pki::name_text(issuer->certificate->subject) + " is not valid now"});
  }
  // Of several about this serial: what the newest says, and of those, what revokes.
  const auto* strictest = (*verified)->find(*issuer->certificate, answer->cert_id.serial);
  if (strictest == nullptr) strictest = answer;
  if (answer->status == pki::OcspCertStatus::good &&
      strictest->status == pki::OcspCertStatus::revoked) {
    const std::lock_guard one_at_a_time(accept_lock(issuer->key));
    forget_contradicted(**verified, *answer, *issuer);
    return refused(request, Refused{Refusal::contradicts_revocation,
                                    "good, but revoked in the same response"});
  }
  return accept_ocsp(request, **verified, *answer, issuer->key);
}

// RFC 6960 4.2.2.2.1: a delegated responder without nocheck is checked like any certificate.
std::optional<Refused> Evidence::responder_revoked(const pki::VerifiedOcspResponse& response,
                                                   const Issuer& issuer, WallTime now) {
  const auto& responder = response.signer();
  if (response.responder() != pki::ResponderKind::delegated || responder->ocsp_nocheck) {
    return std::nullopt;
  }
  const auto status = Snapshot::status(issuer, responder->serial,
                                       {.certificate = responder.get(), .is_ca = false}, now);
  if (!std::holds_alternative<Revoked>(status)) return std::nullopt;
  return Refused{Refusal::responder_not_authorized,
                 "the certificate of the delegated responder is revoked"};
}

Evidence::Judgement Evidence::accept_ocsp(const cache::AdmissionRequest& request,
                                          const pki::VerifiedOcspResponse& response,
                                          const pki::SingleResponse& answer,
                                          const pki::KeyHash& issuer_key) {
  std::unique_lock one_at_a_time(accept_lock(issuer_key));
  // As it stands now: a CRL may have been accepted while the signature was checked.
  const auto issuer = issuer_now(issuer_key);
  if (!issuer) {
    parts_.counters.unverified[static_cast<std::size_t>(request.kind)].add();
    return admitted(answer, cache::Trust::unverified);
  }
  if (const auto revoked = responder_revoked(response, *issuer, request.now)) {
    return refused(request, *revoked);
  }
  const FloorKey key = ocsp_floor_key(issuer_key, answer.cert_id);
  const auto floor = parts_.state.floor(key);
  if (!floor) return fail(Result<std::optional<Floor>>(floor));
  const FloorOrder order = compare(answer, *floor);
  if (order == FloorOrder::rolled_back) {
    return refused(request,
                   Refused{Refusal::rolled_back, "thisUpdate " + pki::rfc3339(answer.this_update) +
                                                     "; the newest seen is of " +
                                                     pki::rfc3339((*floor)->this_update)});
  }
  // Before it is recorded: should that fail, good is not said any more all the same.
  forget_contradicted(response, answer, *issuer);
  const auto status = Snapshot::status(*issuer, answer.cert_id.serial, {}, request.now);
  const auto* revoked = std::get_if<Revoked>(&status);
  Holds ended;
  if (answer.status == pki::OcspCertStatus::good && revoked != nullptr) {
    auto holds = what_good_ends(*revoked, answer, *issuer);
    if (!holds) return fail(std::move(holds));
    if (!*holds) {
      return refused(request, Refused{Refusal::contradicts_revocation,
                                      "good, but revoked by other evidence (" +
                                          std::string(to_string(revoked->source)) + ")"});
    }
    ended = **std::move(holds);
  }
  // Also the very same answer again: its revocation may not have been published the first time.
  const bool is_news = answer.status == pki::OcspCertStatus::revoked &&
                       (revoked == nullptr || revoked->reason != answer.reason);
  if (order == FloorOrder::newer || is_news) {
    auto recorded = record_ocsp(key, answer, ended, request.now);
    if (!recorded) return fail(std::move(recorded));
    if (answer.status == pki::OcspCertStatus::revoked && revoked == nullptr) {
      parts_.counters.revocations_added.add();
    }
  }
  if (auto held = hold_answer(request, response, answer, *issuer); !held) {
    return fail(std::move(held));
  }
  parts_.counters.verified[static_cast<std::size_t>(request.kind)].add();
  one_at_a_time.unlock();
  if (!ended.empty()) {
    if (auto learned = relearn_issuers(request.now); !learned) return fail(std::move(learned));
  }
  return admitted(answer, cache::Trust::verified);
}

// A hold that newer evidence of the same CA ends is no contradiction. nullopt: it is one.
Result<std::optional<Evidence::Holds>> Evidence::what_good_ends(const Revoked& revoked,
                                                                const pki::SingleResponse& answer,
                                                                const Issuer& issuer) {
  const bool is_hold = revoked.source != RevocationSource::manual &&
                       revoked.reason == pki::CrlReason::certificate_hold;
  if (!is_hold) return std::optional<Holds>();
  return holds_ended_by(answer, issuer);
}

Result<void> Evidence::record_ocsp(const FloorKey& key, const pki::SingleResponse& answer,
                                   const Holds& ended, WallTime now) {
  std::optional<SeenRevocation> seen;
  if (answer.status == pki::OcspCertStatus::revoked) {
    seen = SeenRevocation{
        .serial = std::string(as_text(pki::significant_octets(answer.cert_id.serial))),
        .revoked_at = answer.revoked_at,
        .reason = answer.reason};
  }
  // Before its own floor rises, which is older than the answer only until then.
  if (auto lifted = end_holds(ended, answer.this_update); !lifted) return fail(std::move(lifted));
  auto accepted = parts_.state.accept_ocsp(key, floor_of(answer), seen, std::nullopt);
  if (!accepted) return accepted;
  if (auto saw = parts_.clock_guard.saw(WallTime(answer.this_update)); !saw) return saw;
  if (!seen && ended.empty()) return {};
  if (auto reloaded = reload_seen(key.issuer); !reloaded) return reloaded;
  drop_what_is_revoked(now);
  publish();
  return {};
}

}  // namespace revcache::revocation
