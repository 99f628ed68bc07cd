// What becomes of a response: whether it is held, admitted and stored, and who else may have it.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cache/fetch.h"
#include "cache/storability.h"
#include "http/serializer.h"

namespace revcache::cache {

using http::FieldId;
using http::Method;

namespace {

constexpr std::size_t kNegativeBodyBytesMax = 64 * 1024;

}  // namespace

// Objects of ours are kept also when HTTP alone would never use them again (no freshness, no
// validator): in an outage they are what stands between the clients and nothing.
bool Fetch::judge_storability(Method asked, const http::ResponseHead& head,
                              const http::ResponseDirectives& directives) const {
  if (request_.has_nonce) return false;
  const auto verdict = may_store({.method = asked,
                                  .fields = request_.fields.view(),
                                  .directives = request_.directives,
                                  .ocsp = request_.is_ocsp},
                                 head, directives);
  return verdict.store || (verdict.permitted && is_held_until_admitted(kind_));
}

bool Fetch::should_collect() const {
  if (request_.method != Method::get && !request_.is_ocsp &&
      !(request_.method == Method::head && is_held_until_admitted(request_.kind))) {
    return false;
  }
  const bool known_length =
      head_.framing == http::BodyFraming::length || head_.framing == http::BodyFraming::none;
  if (is_held_until_admitted(kind_)) {
    // Of an error only a short body is kept, to be told to those who ask again within seconds.
    return head_.status == 200 || (known_length && head_.content_length <= kNegativeBodyBytesMax);
  }
  if (!may_store_ || pass_conditions_) return false;
  return head_.content_length <= context_.shared.options.streamed_body_bytes_min;
}

std::uint64_t Fetch::collect_bytes_max() const {
  if (is_held_until_admitted(kind_)) return context_.shared.options.object_bytes_max;
  return context_.shared.options.streamed_body_bytes_min;
}

void Fetch::admit() {
  mode_ = Mode::collecting;
  exchange_.reset();
  AdmissionRequest asked;
  asked.kind = kind_;
  asked.url = request_.uri.text();
  asked.status = head_.status;
  asked.content_type = std::string(head_.fields.find(FieldId::content_type).value_or(""));
  asked.request_body = SharedBytes::copy_of(request_.ocsp_der);
  asked.body = admitted_body_ = context_.shared.bodies.share(std::exchange(body_, {}));
  asked.now = response_time_;
  if (auto told = context_.admission.admit_now(asked)) return on_admitted(*std::move(told));
  context_.admission.admit(std::move(asked), [self = shared_from_this()](auto admitted) {
    self->on_admitted(std::move(admitted));
  });
}

void Fetch::on_admitted(Result<Admitted> admitted) {
  if (mode_ == Mode::done) return;
  if (!admitted) {
    reject(admitted.error().code == ErrorCode::untrusted ? metrics::StoreRejection::untrusted
                                                         : metrics::StoreRejection::malformed);
    context_.log.warning("body refused", {{"url", request_.uri.text()},
                                          {"kind", to_string(kind_)},
                                          {"reason", admitted.error().detail}});
    return fail_with(std::move(admitted).error());
  }
  auto response = response_from_head();
  response.trust = admitted->trust;
  response.freshness.usable_until = admitted->usable_until;
  if (admitted->key) response.key = *admitted->key;
  is_failure_ = admitted->is_failure;
  complete_with(std::move(response), may_store_ && admitted->storable);
}

StoredResponse Fetch::response_from_head() const {
  StoredResponse response;
  response.key = request_.key;
  response.purge_mark = request_.purge_mark;
  response.kind = kind_;
  response.status = head_.status;
  response.fields = storable_fields(head_.fields.view(), directives_);
  response.freshness = freshness_facts(head_, directives_, request_time_, response_time_);
  response.body = admitted_body_.empty() ? SharedBytes::copy_of(body_) : admitted_body_;
  response.body_bytes = response.body.size();
  return response;
}

void Fetch::complete_with(StoredResponse response, bool may_be_stored) {
  // What is not stored reaches its one client with all its end-to-end fields.
  if (!may_be_stored) response.fields = http::end_to_end_fields(head_.fields.view());
  const bool has_own_fields = head_.fields.has(FieldId::set_cookie) ||
                              !directives_.private_fields.empty() ||
                              !directives_.no_cache_fields.empty();
  // Cookies, and fields that the response calls private (RFC 9111 5.2.2.4, 5.2.2.7), are for the
  // client whose request was forwarded, and for nobody else.
  std::optional<StoredResponse> for_this_client;
  if (may_be_stored && has_own_fields) {
    for_this_client = response;
    for_this_client->fields = http::end_to_end_fields(head_.fields.view());
  }
  auto complete = cache::finish(std::move(response));
  std::vector<StoredResponsePtr> stored;
  if (may_be_stored) {
    stored = store_in_memory(context_, complete, request_.fields.view());
    if (for_this_client) complete = cache::finish(*std::move(for_this_client));
  } else {
    reject(metrics::StoreRejection::not_cacheable);
  }
  const bool is_negative = is_held_until_admitted(kind_) && complete->status >= 400 &&
                           !directives_.no_store && !directives_.private_;
  // RFC 9111 3.5: what one client's credentials led to is no answer to others.
  if (is_negative && !request_.has_nonce && !request_.fields.has(FieldId::authorization)) {
    put_negative(context_, request_, NegativeAnswer{.response = complete});
  }
  finish(FetchOutcome{.response = std::move(complete),
                      .upstream_status = head_.status,
                      .shareable = (may_be_stored && !has_own_fields) || is_negative || is_failure_,
                      .stored = !stored.empty(),
                      .revalidated = false,
                      .is_failure = is_failure_});
  store_on_disk(context_, stored);
}

void Fetch::reject(metrics::StoreRejection reason) {
  context_.metrics.store_rejections[metrics::index(kind_)][metrics::index(reason)].add();
}

}  // namespace revcache::cache
