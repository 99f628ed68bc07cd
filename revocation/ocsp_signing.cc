// The part of OcspService that waits: signatures under way, and those that keep answers ready.
#include <algorithm>
#include <chrono>
#include <utility>

#include "pki/cert_id.h"
#include "revocation/ocsp_ready.h"
#include "revocation/ocsp_service.h"
#include "revocation/ocsp_signature.h"

namespace revcache::revocation {

namespace {

using cache::Coalescer;
using cache::FlightOutcome;
using pki::OcspResponseStatus;
using WorkResult = Result<cache::StoredResponsePtr>;

// What is decided may change while a key signs; whoever changes it more often than this per
// signature gets no answer.
constexpr unsigned kAttemptsMax = 3;
// Of one loop at a time, with nobody waiting: clients come first.
constexpr unsigned kRenewalsMax = 8;
constexpr unsigned kLooksPerRenew = 512;
// Renewed once this part of its time is left.
constexpr int kRenewAtPart = 4;
// Answers that nobody asked for in this time lapse.
constexpr std::chrono::hours kKeepReady{24};

FlightOutcome outcome_of(const WorkResult& result) {
  if (!result) return {.kind = FlightOutcome::Kind::failed, .error = result.error()};
  return {.kind = FlightOutcome::Kind::answered, .response = *result};
}

WorkResult result_of(const FlightOutcome& outcome) {
  if (outcome.response == nullptr) return std::unexpected(outcome.error);
  return outcome.response;
}

}  // namespace

void OcspService::sign(OcspSignaturePtr asked, Callback<OcspResult> done) {
  std::shared_ptr<OcspSignature> signature = std::move(asked);
  if (!signature->is_shared()) return submit(std::move(signature), std::move(done));
  auto waiting = std::make_shared<Callback<OcspResult>>(std::move(done));
  const auto role = parts_.shared.signatures.join(
      signature->key(), parts_.executor,
      [self = self_, signature, waiting](const FlightOutcome& outcome) {
        if (*self == nullptr) return;
        (*self)->deliver(signature, result_of(outcome), std::move(*waiting));
      });
  if (role == Coalescer::Role::leader) return submit(std::move(signature), std::move(*waiting));
  if (role == Coalescer::Role::overloaded) shed(*signature, std::move(*waiting));
}

// RFC 6960 2.3: tryLater, never a queue that grows.
void OcspService::shed(const OcspSignature& signature, Callback<OcspResult> done) {
  parts_.metrics.signing_shed[label_of(&signature.authority())].add();
  parts_.executor.post(
      [done = std::move(done)]() mutable { done(OcspResult(OcspResponseStatus::try_later)); });
}

void OcspService::submit(std::shared_ptr<OcspSignature> signature, Callback<OcspResult> done) {
  auto waiting = std::make_shared<Callback<OcspResult>>(std::move(done));
  signature->submitted_at = parts_.clock.monotonic();
  auto result = std::make_shared<WorkResult>();
  auto& journal = parts_.shared.journal;
  const bool taken = parts_.background.submit(
      net::WorkKind::sign,
      [signature, result, &journal] {
        *result = sign_response(*signature);
        if (!*result) return;
        for (const auto& record : records_of(*signature)) journal.signed_answer(record);
      },
      [self = self_, signature, result, waiting] {
        if (*self == nullptr) return;
        (*self)->finish(signature, *result, std::move(*waiting));
      });
  if (taken) {
    return parts_.metrics.signing_queue[label_of(&signature->authority())].add(1);
  }
  if (signature->is_shared()) {
    parts_.shared.signatures.finish(
        signature->key(),
        {.kind = FlightOutcome::Kind::failed,
         .error = Error{ErrorCode::overloaded, Blame::local, "too many signatures are waiting"}});
  }
  shed(*signature, std::move(*waiting));
}

void OcspService::finish(const std::shared_ptr<OcspSignature>& signature, const WorkResult& result,
                         Callback<OcspResult> done) {
  auto& metrics = parts_.metrics;
  const auto label = label_of(&signature->authority());
  metrics.signing_queue[label].add(-1);
  metrics.signing_duration[label].observe(parts_.clock.monotonic() - signature->submitted_at);
  if (result) {
    for (const auto& item : signature->items) {
      metrics.synthesis_decisions[label_of(item.authority)][metrics::index(item.decision.rule)]
          .add();
    }
  } else {
    using metrics::SigningFailure;
    const bool in_token = signature->authority().signer->is_in_token();
    const auto reason = in_token ? SigningFailure::token : SigningFailure::key;
    metrics.signing_failures[label][metrics::index(reason)].add();
    parts_.log.error("a key does not sign", {{"signer", signature->authority().signer_name},
                                             {"error", result.error().detail}});
  }
  if (signature->is_shared()) {
    if (result) parts_.shared.memory.put(*result);
    parts_.shared.signatures.finish(signature->key(), outcome_of(result));
  }
  deliver(signature, result, std::move(done));
}

// On the loop of whoever asked. RFC 6960 2.3: a key that does not sign is an internalError, another
// responder may be asked; too many questions at once are tryLater.
void OcspService::deliver(const std::shared_ptr<OcspSignature>& signature, const WorkResult& result,
                          Callback<OcspResult> done) {
  if (!result) {
    const bool later = result.error().code == ErrorCode::overloaded;
    return done(
        OcspResult(later ? OcspResponseStatus::try_later : OcspResponseStatus::internal_error));
  }
  if (const auto refused = judge_again(*signature)) return done(OcspResult(*refused));
  if (!signature->changed) {
    if (signature->is_shared()) remember(*signature, *result);
    return done(OcspResult(reply_of(*result)));
  }
  if (++signature->attempts >= kAttemptsMax) {
    return done(OcspResult(OcspResponseStatus::try_later));
  }
  signature->changed = false;
  sign(OcspSignaturePtr(new OcspSignature(*signature)), std::move(done));
}

// What is decided now, in place of what was: an answer that was true when it was asked for may be
// wrong when it is signed. A status: nothing is to be said any more.
std::optional<OcspResponseStatus> OcspService::judge_again(OcspSignature& signature) {
  const WallTime now = parts_.clock.wall();
  const auto signer = signature.authority().signer_hash;
  signature.changed = false;
  for (auto& item : signature.items) {
    const auto cert_id = pki::parse_cert_id(as_bytes(item.cert_id_der));
    const Judged judged = judge(*cert_id, item.authority->name);
    if (!judged.decision.is_signed()) return refuse(judged);
    std::string before;
    std::string after;
    append_identity(before, item.decision);
    append_identity(after, judged.decision);
    signature.changed |= before != after || judged.authority->signer_hash != signer;
    item = item_of(judged);
  }
  if (!signature.changed) return std::nullopt;
  // Of several, all of one signer still: their table is one, and one signer replaced another.
  for (const auto& item : signature.items) {
    if (item.authority->signer_hash != signature.authority().signer_hash) {
      return OcspResponseStatus::try_later;
    }
  }
  signature.snapshot = parts_.snapshot.shared();
  signature.table = table_;
  signature.now = now;
  if (signature.is_shared()) {
    const auto cert_id = pki::parse_cert_id(as_bytes(signature.items.front().cert_id_der));
    make_keys(judge(*cert_id, signature.authority().name), signature.scheme);
    signature.question_key = question_key_;
    signature.identity = identity_;
  }
  return std::nullopt;
}

void OcspService::remember(const OcspSignature& signature,
                           const cache::StoredResponsePtr& response) {
  const Ready* before = ready_->peek(signature.question_key);
  // Nobody asked since it left the list, or another one took its place.
  if (!signature.for_client && before == nullptr) return;
  const auto asked_at = before != nullptr ? before->asked_at : signature.asked_at;
  Ready& ready = ready_->put(signature.question_key, signature.identity, response);
  ready.asked_at = signature.for_client ? std::max(asked_at, signature.asked_at) : asked_at;
  parts_.metrics.ready_answers.set(static_cast<std::int64_t>(ready_->size()));
}

void OcspService::renew() {
  const MonotonicTime now = parts_.clock.monotonic();
  const auto looks = std::min<std::size_t>(kLooksPerRenew, ready_->size());
  for (std::size_t i = 0; i < looks && renewals_ < kRenewalsMax; ++i) {
    Ready* ready = ready_->next_to_look_at();
    if (ready == nullptr) break;
    if (now - ready->asked_at < kKeepReady && renew_one(*ready)) continue;
    ready_->erase(std::string(ready->question_key));
  }
  parts_.metrics.ready_answers.set(static_cast<std::int64_t>(ready_->size()));
}

// False: there is nothing to be kept ready under this question any more.
bool OcspService::renew_one(Ready& ready) {
  if (ready.renewing) return true;
  const std::string question = ready.question_key;
  const auto cert_id_der = std::string_view(question).substr(ReadyList::kCertIdAt);
  const auto cert_id = pki::parse_cert_id(as_bytes(cert_id_der));
  const Judged judged = judge(*cert_id, {});
  if (!judged.decision.is_signed()) return false;
  const WallTime now = parts_.clock.wall();
  const auto next_update = next_update_of(judged.decision, judged.authority->policy.validity,
                                          judged.authority->signer_not_after, now);
  make_keys(judged, static_cast<pki::SignatureScheme>(question[ReadyList::kSchemeAt]));
  const auto part = (ready.next_update - ready.produced_at) / kRenewAtPart;
  const bool same = question_key_ == question && identity_ == ready.identity;
  const bool lapses = now + part >= WallTime(ready.next_update) && next_update > ready.next_update;
  if (same && !lapses) return true;
  OcspSignaturePtr signature(new OcspSignature{.snapshot = parts_.snapshot.shared(),
                                               .table = table_,
                                               .question_key = question_key_,
                                               .identity = identity_,
                                               .now = now,
                                               .asked_at = ready.asked_at,
                                               .for_client = question_key_ != question});
  signature->scheme = static_cast<pki::SignatureScheme>(question[ReadyList::kSchemeAt]);
  signature->items.push_back(item_of(judged));
  ready.renewing = true;
  ++renewals_;
  sign(std::move(signature), [self = self_, question](const OcspResult&) {
    if (*self == nullptr) return;
    --(*self)->renewals_;
    if (Ready* still = (*self)->ready_->peek(question)) still->renewing = false;
  });
  // Under another question: signer or validity changed, and the old one is asked no more.
  return question_key_ == question;
}

}  // namespace revcache::revocation
