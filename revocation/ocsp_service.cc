#include "revocation/ocsp_service.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "pki/cert_id.h"
#include "revocation/ocsp_ready.h"
#include "revocation/ocsp_signature.h"

namespace revcache::revocation {

namespace {

using pki::OcspResponseStatus;

static_assert(kRules == metrics::kAnswerRules);

// RFC 9654 2.1.
bool has_usable_nonce(const pki::OcspRequest& request) noexcept {
  constexpr std::size_t kNonceBytesMax = 128;
  return !request.nonce || (!request.nonce->empty() && request.nonce->size() <= kNonceBytesMax);
}

}  // namespace

std::size_t OcspService::label_of(const SigningAuthority* authority) noexcept {
  constexpr std::size_t kOther = metrics::kAuthorityLabelsMax - 1;
  return authority == nullptr ? kOther : std::min(authority->label, kOther);
}

OcspService::OcspService(const Parts& parts, Options options)
    : parts_(parts),
      options_(options),
      table_(std::make_shared<const ResponderTable>()),
      ready_(std::make_unique<ReadyList>(options.ready_answers_max, options.hash_seed)),
      self_(std::make_shared<OcspService*>(this)) {}

OcspService::~OcspService() { *self_ = nullptr; }

void OcspService::apply(ResponderTablePtr table) { table_ = std::move(table); }

bool OcspService::is_ours(const pki::OcspQuestion& question, std::string_view host,
                          std::uint16_t port) const {
  if (!table_->answers_for_host(host, port)) return false;
  const Issuer* issuer = parts_.snapshot.now().find(question.cert_id);
  const auto* authority =
      issuer != nullptr && issuer->is_authority ? table_->find(issuer->key) : nullptr;
  return authority != nullptr && authority->answers_for_host(host, port);
}

OcspNow OcspService::answer(const OcspQuery& query) {
  if (query.question != nullptr && query.question->single && !query.question->has_nonce) {
    return answer_one(query, *query.question);
  }
  const auto question = pki::parse_ocsp_question(query.der);
  if (!question) {
    parts_.metrics.ocsp_malformed.add();
    return OcspResponseStatus::malformed_request;
  }
  if (question->single && !question->has_nonce) return answer_one(query, *question);
  return answer_freshly(query);
}

OcspService::Judged OcspService::judge(const pki::CertId& cert_id,
                                       std::string_view authority) const {
  Judged judged{.cert_id = cert_id};
  const Snapshot& known = parts_.snapshot.now();
  const Issuer* issuer = known.find(cert_id);
  const auto* signing =
      issuer != nullptr && issuer->is_authority ? table_->find(issuer->key) : nullptr;
  if (signing == nullptr || (!authority.empty() && signing->name != authority)) {
    // Without its state the process knows no issuer at all, nor whom it answers for.
    judged.decision.rule =
        parts_.shared.state_unreadable ? Rule::state_unreadable : Rule::unknown_issuer;
    return judged;
  }
  const WallTime now = parts_.clock.wall();
  judged.authority = signing;
  judged.decision = signing->decide(known, *issuer, cert_id.serial,
                                    {.clock_behind = parts_.shared.clock_guard.is_behind(now),
                                     .state_unreadable = parts_.shared.state_unreadable},
                                    now);
  return judged;
}

void OcspService::count(const Judged& judged) {
  auto& metrics = parts_.metrics;
  metrics.ocsp_answers[label_of(judged.authority)][metrics::index(judged.decision.rule)].add();
  metrics.cert_id_hashes[metrics::index(judged.cert_id.hash)].add();
  if (judged.decision.rule != Rule::signer_unusable || judged.authority == nullptr) return;
  const bool is_over = judged.authority->signer != nullptr &&
                       parts_.clock.wall() >= WallTime(judged.authority->signer_not_after);
  const auto reason =
      is_over ? metrics::SigningFailure::expired : metrics::SigningFailure::unusable;
  metrics.signing_failures[label_of(judged.authority)][metrics::index(reason)].add();
}

OcspResponseStatus OcspService::refuse(const Judged& judged) {
  const auto now = std::chrono::floor<std::chrono::seconds>(parts_.clock.wall());
  auto record = record_of(judged.decision, nullptr, judged.cert_id.serial, now);
  if (judged.authority != nullptr) record.authority = judged.authority->name;
  parts_.shared.journal.refused(record, parts_.clock.monotonic());
  return judged.decision.outcome() == Outcome::unauthorized ? OcspResponseStatus::unauthorized
                                                            : OcspResponseStatus::try_later;
}

OcspNow OcspService::answer_one(const OcspQuery& query, const pki::OcspQuestion& question) {
  const Judged judged = judge(question.cert_id, query.authority);
  count(judged);
  if (!judged.decision.is_signed()) return refuse(judged);
  const auto scheme = judged.authority->signer->scheme_for(question.preferred_signature_algorithms);
  make_keys(judged, scheme);
  if (const Ready* ready = find_ready()) return reply_of(*ready);
  OcspSignaturePtr signature(new OcspSignature{.snapshot = parts_.snapshot.shared(),
                                               .table = table_,
                                               .question_key = question_key_,
                                               .identity = identity_,
                                               .now = parts_.clock.wall(),
                                               .asked_at = parts_.clock.monotonic()});
  signature->scheme = scheme;
  signature->items.push_back(item_of(judged));
  return signature;
}

// A nonce, several questions, or something that the short look does not understand.
OcspNow OcspService::answer_freshly(const OcspQuery& query) {
  const auto request = pki::parse_ocsp_request(query.der);
  // RFC 6960 4.4: an extension that is critical and not understood must not be ignored.
  if (!request || request->has_unknown_critical_extension || !has_usable_nonce(*request)) {
    parts_.metrics.ocsp_malformed.add();
    return OcspResponseStatus::malformed_request;
  }
  const pki::OcspQuestion alone{
      .cert_id = request->requests.front(),
      .preferred_signature_algorithms = request->preferred_signature_algorithms};
  if (request->requests.size() == 1 && !request->nonce) return answer_one(query, alone);
  auto signature = fresh_signature(query, *request);
  if (!std::holds_alternative<OcspSignaturePtr>(signature)) return signature;
  if (parts_.shared.nonce_budget.take(query.client, parts_.clock.monotonic())) return signature;
  // RFC 9654 2.1: a responder may leave the nonce out; one that many ask for costs nothing.
  if (request->requests.size() == 1) return answer_one(query, alone);
  parts_.metrics.signing_shed[label_of(&std::get<OcspSignaturePtr>(signature)->authority())].add();
  return OcspResponseStatus::try_later;
}

// Not counted as an answer before the budget allows it: answer_one() counts too.
OcspNow OcspService::fresh_signature(const OcspQuery& query, const pki::OcspRequest& request) {
  OcspSignaturePtr signature(new OcspSignature{.snapshot = parts_.snapshot.shared(),
                                               .table = table_,
                                               .now = parts_.clock.wall(),
                                               .asked_at = parts_.clock.monotonic()});
  if (request.nonce) signature->nonce = std::string(as_text(*request.nonce));
  for (const pki::CertId& cert_id : request.requests) {
    const Judged judged = judge(cert_id, query.authority);
    if (!judged.decision.is_signed()) {
      count(judged);
      return refuse(judged);
    }
    // One response has one signature: whoever is signed for by another key is asked about alone.
    if (!signature->items.empty() &&
        signature->authority().signer_hash != judged.authority->signer_hash) {
      return OcspResponseStatus::unauthorized;
    }
    signature->items.push_back(item_of(judged));
  }
  if (request.nonce) parts_.metrics.ocsp_nonces[label_of(&signature->authority())].add();
  signature->scheme =
      signature->authority().signer->scheme_for(request.preferred_signature_algorithms);
  return signature;
}

OcspSignatureItem OcspService::item_of(const Judged& judged) {
  return {.cert_id_der = std::string(as_text(judged.cert_id.der)),
          .serial = std::string(as_text(judged.cert_id.serial)),
          .authority = judged.authority,
          .decision = judged.decision};
}

// The question: who signs how for whom, about which CertID; then what is said about it.
void OcspService::make_keys(const Judged& judged, pki::SignatureScheme scheme) {
  question_key_.clear();
  question_key_ += ReadyList::kMark;
  question_key_ += as_text(judged.authority->key);
  question_key_ += as_text(judged.authority->signer_hash);
  question_key_ += static_cast<char>(scheme);
  const auto validity = judged.authority->policy.validity.count();
  for (unsigned shift = 0; shift < 64; shift += 8) {
    question_key_ += static_cast<char>(static_cast<std::uint64_t>(validity) >> shift & 0xffU);
  }
  question_key_ += as_text(judged.cert_id.der);
  identity_.clear();
  append_identity(identity_, judged.decision);
}

const OcspService::Ready* OcspService::find_ready() {
  const WallTime now = parts_.clock.wall();
  Ready* ready = ready_->find(question_key_);
  if (ready == nullptr || ready->identity != identity_ || now >= WallTime(ready->next_update)) {
    // Another loop may have it.
    auto stored = parts_.shared.memory.find(question_key_ + identity_);
    if (stored == nullptr || now >= *stored->freshness.usable_until) return nullptr;
    ready = &ready_->put(question_key_, identity_, std::move(stored));
    parts_.metrics.ready_answers.set(static_cast<std::int64_t>(ready_->size()));
  }
  ready->asked_at = parts_.clock.monotonic();
  return ready;
}

OcspReply OcspService::reply_of(const Ready& ready) const { return reply_of(ready.response); }

OcspReply OcspService::reply_of(const cache::StoredResponsePtr& response) const {
  const auto now = std::chrono::floor<std::chrono::seconds>(parts_.clock.wall());
  const auto produced = std::chrono::floor<std::chrono::seconds>(response->freshness.response_time);
  const auto end = std::chrono::floor<std::chrono::seconds>(*response->freshness.usable_until);
  return {.response = response,
          .age = std::max(now - produced, std::chrono::seconds(0)),
          .ttl = std::max(end - now, std::chrono::seconds(0))};
}

}  // namespace revcache::revocation
