// OCSP answers of an authority that say good: held while nothing contradicts them. Whatever does
// takes them away for good, so that none comes back when a hold is lifted.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "pki/ocsp_response.h"
#include "revocation/evidence.h"

namespace revcache::revocation {

namespace {

bool is_revoked(const Issuer& issuer, std::string_view serial, WallTime now) {
  return std::holds_alternative<Revoked>(
      Snapshot::status(issuer, as_bytes(serial), AboutCertificate{}, now));
}

// What is known already proves as much, for as long: nothing to publish.
bool adds_nothing(const HeldAnswer& answer, const Issuer& issuer, const SerialStatus& status) {
  const auto* good = std::get_if<NotRevoked>(&status);
  if (good != nullptr && good->crl() != nullptr && good->valid_until() >= answer.next_update) {
    return true;
  }
  const auto there =
      issuer.answers == nullptr ? nullptr : issuer.answers->find(as_bytes(answer.serial));
  if (there == nullptr) return false;
  if (there->this_update != answer.this_update) return there->this_update > answer.this_update;
  return there->next_update >= answer.next_update;
}

// Until its nextUpdate, but not longer than the responder that signed it is valid.
HeldAnswer held(const pki::VerifiedOcspResponse& response, const pki::SingleResponse& answer) {
  HeldAnswer made;
  made.serial = as_text(pki::significant_octets(answer.cert_id.serial));
  made.this_update = answer.this_update;
  made.next_update = *answer.next_update;
  made.hash = pki::sha256(response->der.bytes());
  if (const auto& responder = response.signer(); responder != nullptr) {
    made.next_update = std::min(made.next_update, responder->not_after);
    if (!responder->ocsp_nocheck) {
      made.responder_serial = as_text(pki::significant_octets(responder->serial));
    }
  }
  return made;
}

}  // namespace

// What was held about the serial of `answer`, if it says something else than good, or what is
// newest about it in the same response does.
void Evidence::forget_contradicted(const pki::VerifiedOcspResponse& response,
                                   const pki::SingleResponse& answer, const Issuer& issuer) {
  const auto* newest = response.find(*issuer.certificate, answer.cert_id.serial);
  const bool forgot = known_.with([&](Known& known) {
    const bool by_newest = newest != nullptr && known.forget(issuer.key, *newest);
    return known.forget(issuer.key, answer) || by_newest;
  });
  if (forgot) publish();
}

Result<void> Evidence::hold_answer(const cache::AdmissionRequest& request,
                                   const pki::VerifiedOcspResponse& response,
                                   const pki::SingleResponse& answer, const Issuer& issuer) {
  if (!issuer.is_authority || answer.status != pki::OcspCertStatus::good) return {};
  if (!answer.next_update) return {};
  const auto otherwise = said_otherwise_since(answer, issuer);
  if (!otherwise) return fail(Result<bool>(otherwise));
  // Of several about this serial in one response, the newest counts, and of those the strictest.
  const auto* newest = response.find(*issuer.certificate, answer.cert_id.serial);
  if (*otherwise || newest == nullptr || newest->status != pki::OcspCertStatus::good) return {};
  HeldAnswer candidate = held(response, answer);
  candidate.url = request.url;
  const bool is_news = known_.with([&](Known& known) {
    return known.hold(issuer.key, std::move(candidate), options_.held_answers_max, request.now);
  });
  if (is_news) publish();
  return {};
}

// False: nothing is changed by it.
bool Evidence::Known::hold(const pki::KeyHash& authority, HeldAnswer answer,
                           std::size_t answers_max, WallTime now) {
  Issuer* issuer = find(authority);
  if (issuer == nullptr) return false;
  const auto status = Snapshot::status(*issuer, as_bytes(answer.serial), AboutCertificate{}, now);
  if (std::holds_alternative<Revoked>(status)) return false;
  if (adds_nothing(answer, *issuer, status)) return false;
  const std::string serial = answer.serial;
  const pki::Sha256 hash = answer.hash;
  const HeldAnswers none;
  const HeldAnswers& before = issuer->answers != nullptr ? *issuer->answers : none;
  auto after =
      std::make_shared<const HeldAnswers>(before.with(std::move(answer), answers_max, now));
  const auto kept = after->find(as_bytes(serial));
  if (kept == nullptr || kept->hash != hash) return false;
  issuer->answers = std::move(after);
  return true;
}

// True: an answer was held, and counts no more. An older "unknown" does not contradict a newer
// "good"; a revocation always does.
bool Evidence::Known::forget(const pki::KeyHash& key, const pki::SingleResponse& contradiction) {
  if (contradiction.status == pki::OcspCertStatus::good) return false;
  Issuer* issuer = find(key);
  if (issuer == nullptr || issuer->answers == nullptr) return false;
  const ByteView serial = contradiction.cert_id.serial;
  const auto answer = issuer->answers->find(serial);
  if (answer == nullptr) return false;
  const bool is_older = contradiction.this_update < answer->this_update;
  if (is_older && contradiction.status == pki::OcspCertStatus::unknown) return false;
  issuer->answers = std::make_shared<const HeldAnswers>(issuer->answers->without(serial));
  return true;
}

void Evidence::Known::drop_contradicted_answers(WallTime now) {
  for (Issuer& issuer : issuers) {
    const auto before = issuer.answers;
    if (before == nullptr) continue;
    for (const HeldAnswerPtr& answer : before->all()) {
      const bool responder_revoked =
          !answer->responder_serial.empty() && is_revoked(issuer, answer->responder_serial, now);
      if (!responder_revoked && !is_revoked(issuer, answer->serial, now)) continue;
      issuer.answers =
          std::make_shared<const HeldAnswers>(issuer.answers->without(as_bytes(answer->serial)));
    }
  }
}

}  // namespace revcache::revocation
