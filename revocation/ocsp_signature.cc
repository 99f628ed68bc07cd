#include "revocation/ocsp_signature.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "cache/stored_response.h"
#include "http/date.h"
#include "http/message.h"
#include "pki/signature.h"
#include "pki/signer.h"

namespace revcache::revocation {

namespace {

using http::FieldId;

// Of the response's SHA-256: equal octets, equal tag.
constexpr std::size_t kTagBytes = 16;

std::string strong_tag(std::string_view body) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const pki::Sha256 hash = pki::sha256(as_bytes(body));
  std::string tag = "\"";
  for (std::size_t i = 0; i < kTagBytes; ++i) {
    tag += kHex[hash[i] >> 4U];
    tag += kHex[hash[i] & 15U];
  }
  return tag += '"';
}

// RFC 9919 section 6.2 (RFC 5019 section 6.2): what HTTP says follows from what the answer says.
cache::StoredResponsePtr as_http(const OcspSignature& signature, std::string body,
                                 WallSeconds produced_at, WallSeconds next_update) {
  cache::StoredResponse response;
  response.key = signature.key();
  response.kind = ObjectKind::ocsp;
  response.trust = cache::Trust::verified;
  response.freshness = {.request_time = produced_at,
                        .response_time = produced_at,
                        .lifetime = next_update - produced_at,
                        .must_revalidate = true,
                        .usable_until = next_update};
  auto& fields = response.fields;
  fields.set(FieldId::content_type, "application/ocsp-response");
  fields.set(FieldId::date, http::date_text(produced_at));
  fields.set(FieldId::last_modified, http::date_text(produced_at));
  if (signature.is_shared()) {
    const auto seconds = std::to_string((next_update - produced_at).count());
    fields.set(FieldId::expires, http::date_text(next_update));
    fields.set(FieldId::cache_control,
               "max-age=" + seconds + ", public, no-transform, must-revalidate");
    fields.set(FieldId::etag, strong_tag(body));
  } else {
    fields.set(FieldId::cache_control, "no-store");
  }
  response.body = SharedBytes::take(std::move(body));
  return cache::finish(std::move(response));
}

}  // namespace

void DeleteOcspSignature::operator()(OcspSignature* signature) const noexcept { delete signature; }

Result<cache::StoredResponsePtr> sign_response(const OcspSignature& signature) {
  const auto& authority = signature.authority();
  const auto produced_at = std::chrono::floor<std::chrono::seconds>(signature.now);
  std::vector<pki::SingleAnswer> answers;
  answers.reserve(signature.items.size());
  WallSeconds first_end = WallSeconds::max();
  for (const auto& item : signature.items) {
    const auto next_update = next_update_of(item.decision, item.authority->policy.validity,
                                            item.authority->signer_not_after, signature.now);
    first_end = std::min(first_end, next_update);
    answers.push_back({.cert_id_der = as_bytes(item.cert_id_der),
                       .status = item.decision.status,
                       .this_update = item.decision.this_update.value_or(produced_at - kUndatedAge),
                       .next_update = next_update});
  }
  std::optional<ByteView> nonce;
  if (signature.nonce) nonce = as_bytes(*signature.nonce);
  auto body = authority.signer->respond(
      {.responder = nullptr, .produced_at = produced_at, .answers = answers, .nonce = nonce},
      signature.scheme);
  if (!body) return fail(std::move(body));
  return as_http(signature, *std::move(body), produced_at, first_end);
}

std::vector<DecisionRecord> records_of(const OcspSignature& signature) {
  const auto at = std::chrono::floor<std::chrono::seconds>(signature.now);
  std::vector<DecisionRecord> records;
  records.reserve(signature.items.size());
  for (const auto& item : signature.items) {
    auto record = record_of(item.decision, signature.snapshot->find(item.authority->key),
                            as_bytes(item.serial), at);
    record.authority = item.authority->name;
    record.signer = item.authority->signer_name;
    record.this_update = item.decision.this_update.value_or(at - kUndatedAge);
    record.next_update = next_update_of(item.decision, item.authority->policy.validity,
                                        item.authority->signer_not_after, signature.now);
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace revcache::revocation
