#include "revocation/admission.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "cache/cache_key.h"
#include "pki/ocsp_response.h"
#include "revocation/object_form.h"

namespace revcache::revocation {

namespace {

// Travels to a pool thread and back.
struct Judging {
  cache::AdmissionRequest request;
  Result<cache::Admitted> verdict = cache::Admitted{};
  Callback<Result<cache::Admitted>> done;
};

}  // namespace

ObjectKind Admission::kind_of_request(http::Method method, std::string_view url,
                                      const http::FieldsView& fields) const {
  return kind_by_request(method, url, fields);
}

ObjectKind Admission::kind_of_response(ObjectKind asked, const http::ResponseHead& head) const {
  if (asked != ObjectKind::other || head.status != 200) return asked;
  return kind_by_content_type(head.fields.find(http::FieldId::content_type).value_or(""));
}

bool Admission::still_holds(const cache::StoredResponse& stored) const {
  if (stored.status >= 400) return true;  // no client takes it for an answer
  const ByteView asked = cache::cert_id_in_ocsp_key(stored.key);
  if (!asked.empty()) {
    const auto cert_id = pki::parse_cert_id(asked);
    if (cert_id && !is_revoked(*cert_id)) return true;
  }
  return !calls_revoked_good(stored.body);
}

const Issuer* Admission::issuer_of(const pki::CertId& cert_id) const {
  if (cert_id.hash == pki::CertIdHash::other) return nullptr;
  if (cert_id.hash == pki::CertIdHash::sha1) return known_.now().find(cert_id);
  if (named_generation_ != known_.generation() || named_.size() >= kNamedIssuersMax) {
    named_.clear();
    named_generation_ = known_.generation();
  }
  // Side by side in the DER. Both have the length of their algorithm, and no two algorithms of
  // SHA-2 share one.
  const auto* const begin = cert_id.issuer_name_hash.data();
  const auto* const end = cert_id.issuer_key_hash.data() + cert_id.issuer_key_hash.size();
  const std::string_view hashes = as_text(ByteView(begin, end));
  if (const auto found = named_.find(hashes); found != named_.end()) return found->second;
  return named_.emplace(hashes, known_.now().find(cert_id)).first->second;
}

bool Admission::is_revoked(const pki::CertId& cert_id) const {
  const Issuer* const issuer = issuer_of(cert_id);
  if (issuer == nullptr) return false;
  return std::holds_alternative<Revoked>(
      Snapshot::status(*issuer, cert_id.serial, {}, clock_.wall()));
}

// Any of them: which one a client takes is not ours to know. What cannot be read might say good.
bool Admission::calls_revoked_good(const SharedBytes& body) const {
  const auto response = pki::parse_ocsp_response(body);
  if (!response) return true;
  return std::ranges::any_of((*response)->responses, [this](const pki::SingleResponse& single) {
    return single.status == pki::OcspCertStatus::good && is_revoked(single.cert_id);
  });
}

std::optional<Result<cache::Admitted>> Admission::admit_now(
    const cache::AdmissionRequest& request) {
  return evidence_.consider_now(request);
}

void Admission::admit(cache::AdmissionRequest request, Callback<Result<cache::Admitted>> done) {
  auto judging = std::make_shared<Judging>();
  judging->request = std::move(request);
  judging->done = std::move(done);
  const bool submitted = background_.submit(
      net::WorkKind::parse,
      [judging, this] { judging->verdict = evidence_.consider(judging->request); },
      // Behind whatever the judgement published, so that this loop does not judge by less.
      [judging, this] {
        executor_.post([judging] { judging->done(std::move(judging->verdict)); });
      });
  if (submitted) return;
  executor_.post([judging] {
    judging->done(fail(ErrorCode::overloaded, Blame::local, "too many bodies are being verified"));
  });
}

}  // namespace revcache::revocation
