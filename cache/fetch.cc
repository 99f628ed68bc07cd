#include "cache/fetch.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "cache/body_room.h"
#include "cache/cache_key.h"
#include "cache/storability.h"
#include "cache/validation.h"
#include "http/serializer.h"

namespace revcache::cache {

using http::FieldId;
using http::FieldsView;
using http::Method;

namespace {

// Conditions and ranges are the client's own: upstream is asked for the whole (RFC 9111 4.3.1).
void remove_conditions(http::Fields& fields) {
  for (const auto id : {FieldId::if_match, FieldId::if_none_match, FieldId::if_modified_since,
                        FieldId::if_unmodified_since, FieldId::if_range, FieldId::range}) {
    fields.remove(id);
  }
}

}  // namespace

Fetch::Fetch(const CacheContext& context, const CacheRequest& request, StoredResponsePtr stale,
             bool pass_conditions, std::shared_ptr<FetchTarget> target)
    : context_(context),
      request_(request),
      stale_(std::move(stale)),
      pass_conditions_(pass_conditions),
      target_(std::move(target)),
      kind_(request.kind) {}

Fetch::~Fetch() {
  context_.active.erase(this);
  context_.shared.bodies.release(std::move(body_));
}

void Fetch::start() {
  context_.active.insert(this);
  exchange_ = context_.origin.fetch(origin_request(), *this);
}

OriginRequest Fetch::origin_request() const {
  OriginRequest asked;
  asked.method = request_.method;
  asked.method_text = request_.method_text;
  asked.uri = request_.uri;
  asked.fields = request_.fields;
  asked.kind = request_.kind;
  asked.body = request_.body;
  asked.has_body = request_.has_body;
  asked.body_source = request_.body_source;
  asked.body_length = request_.body_length;
  asked.max_forwards = request_.max_forwards;
  asked.cdn_loop = request_.cdn_loop;
  asked.via = request_.via;
  asked.follow_redirects = is_held_until_admitted(request_.kind);
  // A held body is fetched with GET whatever was asked: HEAD is answered from it.
  if (asked.method == Method::head && is_held_until_admitted(request_.kind)) {
    asked.method = Method::get;
    asked.method_text = "GET";
  }
  if (!pass_conditions_) {
    remove_conditions(asked.fields);
    if (stale_ != nullptr && asked.method == Method::get && !retried_unconditionally_) {
      add_validators(asked.fields, *stale_);
    }
  }
  return asked;
}

void Fetch::pause() {
  if (exchange_ != nullptr) exchange_->pause();
}

void Fetch::resume() {
  if (exchange_ == nullptr) return;
  auto self = shared_from_this();
  exchange_->resume();
}

void Fetch::send_body(std::string_view piece, bool last) {
  if (exchange_ != nullptr) exchange_->send_body(piece, last);
}

void Fetch::client_gone() {
  const bool useful = request_.method == Method::get || request_.is_ocsp;
  if (mode_ == Mode::collecting || (mode_ == Mode::waiting && useful && !pass_conditions_)) return;
  if (mode_ != Mode::done) abort();
}

void Fetch::abort() {
  auto self = shared_from_this();
  if (mode_ == Mode::done) return;
  fail_with(Error{ErrorCode::disconnected, Blame::local, "nobody waits for this fetch any more"});
}

void Fetch::on_head(http::ResponseHead head, WallTime request_time) {
  auto self = shared_from_this();
  context_.shared.silent.note_answer(origin_of(request_.uri));
  request_time_ = request_time;
  response_time_ = context_.clock.wall();
  if (head.status == 304 && stale_ != nullptr && !pass_conditions_) {
    if (on_not_modified(head)) return;
  }
  const bool failed_validation = is_failed_validation(head.status);
  if (failed_validation && target_->may_fall_back()) {
    return fail_with(Error{ErrorCode::unreachable, Blame::upstream,
                           "upstream answered " + std::to_string(head.status)},
                     head.status);
  }
  kind_ = context_.admission.kind_of_response(kind_, head);
  directives_ = http::parse_response_directives(head.fields.view());
  head_ = std::move(head);
  const Method asked = is_held_until_admitted(request_.kind) && request_.method == Method::head
                           ? Method::get
                           : request_.method;
  // A server error never takes the place of what it could not validate.
  may_store_ = !failed_validation && judge_storability(asked, head_, directives_);
  if (request_.method == Method::head && !is_held_until_admitted(kind_)) update_stored_by_head();
  if (!http::is_safe(request_.method) && !request_.is_ocsp) invalidate_after_unsafe();
  if (should_collect()) {
    mode_ = Mode::collecting;
    make_room(body_, std::min(head_.content_length, collect_bytes_max()));
    return;
  }
  begin_streaming();
}

// RFC 9111 4.3.4. False: the 304 does not speak of what is stored and is nobody's answer.
bool Fetch::on_not_modified(const http::ResponseHead& head) {
  // What was revoked meanwhile must not be made fresh again: the whole answer is judged anew.
  if (!can_freshen(*stale_, head) || !still_holds(context_, *stale_)) {
    if (retried_unconditionally_) {
      fail_with(Error{ErrorCode::malformed, Blame::upstream, "304 to an unconditional request"});
      return true;
    }
    retried_unconditionally_ = true;
    exchange_ = context_.origin.fetch(origin_request(), *this);
    return true;
  }
  auto freshened = freshen(*stale_, head, request_time_, response_time_, request_.purge_mark);
  // The 304 may have brought no-store or private.
  http::ResponseHead merged;
  merged.status = freshened->status;
  merged.fields = freshened->fields;
  const bool may_keep =
      judge_storability(Method::get, merged, http::parse_response_directives(merged.fields.view()));
  std::vector<StoredResponsePtr> stored;
  // A variant keeps its own key: it was found under it.
  if (may_keep) {
    if (put_in_memory(context_, freshened, request_.purge_mark)) stored.push_back(freshened);
  } else if (!request_.directives.no_store) {
    erase(context_, stale_->key);
  }
  finish(FetchOutcome{.response = std::move(freshened),
                      .upstream_status = 304,
                      .shareable = true,
                      .stored = !stored.empty(),
                      .revalidated = true});
  store_on_disk(context_, stored);
  return true;
}

// RFC 9111 4.3.3, RFC 5861 4: it may count as a failure, or be handed on.
bool Fetch::is_failed_validation(std::uint16_t status) const {
  const bool is_server_error = status == 500 || status == 502 || status == 503 || status == 504;
  return is_server_error && stale_ != nullptr && !pass_conditions_;
}

void Fetch::begin_streaming() {
  mode_ = Mode::streaming;
  const std::uint64_t copy_max =
      std::min(context_.shared.options.object_bytes_max, context_.shared.memory.object_bytes_max());
  keep_copy_ = may_store_ && !pass_conditions_ && request_.method == Method::get &&
               head_.content_length <= copy_max;
  if (keep_copy_) make_room(body_, head_.content_length);
  auto head = head_;
  head.fields = http::end_to_end_fields(head_.fields.view());
  const bool wanted = target_->begin_stream(std::move(head), keep_copy_);
  if (mode_ == Mode::done) return;
  if (!wanted) return abort();
  if (!body_.empty()) target_->stream_body(body_);
  if (!keep_copy_) body_.clear();
}

void Fetch::on_body(std::string_view piece) {
  auto self = shared_from_this();
  context_.metrics.upstream_response_bytes[metrics::index(kind_)].add(piece.size());
  if (mode_ == Mode::streaming) {
    if (keep_copy_) {
      append_piece(body_, piece, context_.shared.memory.object_bytes_max());
      if (body_.size() > context_.shared.memory.object_bytes_max()) {
        keep_copy_ = false;
        context_.shared.bodies.release(std::exchange(body_, {}));
      }
    }
    return target_->stream_body(piece);
  }
  if (mode_ != Mode::collecting) return;
  if (body_.size() + piece.size() <= collect_bytes_max()) {
    append_piece(body_, piece, collect_bytes_max());
    return;
  }
  if (is_held_until_admitted(kind_)) {
    context_.metrics.limits_hit[metrics::index(metrics::Limit::object_bytes)].add();
    reject(metrics::StoreRejection::too_large);
    return fail_with(
        Error{ErrorCode::too_large, Blame::upstream, "body is longer than cache.object_max"});
  }
  body_.append(piece);
  begin_streaming();
}

void Fetch::on_complete() {
  auto self = shared_from_this();
  if (mode_ == Mode::streaming) return end_streaming();
  if (mode_ != Mode::collecting) return;
  if (is_held_until_admitted(kind_) && head_.status == 200) return admit();
  complete_with(response_from_head(), may_store_);
}

void Fetch::end_streaming() {
  std::vector<StoredResponsePtr> stored;
  if (keep_copy_) {
    admitted_body_ = context_.shared.bodies.share(std::move(body_));
    stored = store_in_memory(context_, cache::finish(response_from_head()), request_.fields.view());
  }
  mode_ = Mode::done;
  context_.active.erase(this);
  auto target = std::exchange(target_, nullptr);
  exchange_.reset();
  target->end_stream(nullptr);
  store_on_disk(context_, stored);
}

void Fetch::on_failed(Error error) {
  auto self = shared_from_this();
  if (mode_ == Mode::waiting) {
    context_.shared.silent.note_failure(origin_of(request_.uri), error, context_.clock.monotonic());
  }
  fail_with(std::move(error));
}

// RFC 9111 4.3.5.
void Fetch::update_stored_by_head() {
  if (stale_ == nullptr || head_.status != 200) return;
  if (head_matches(*stale_, head_)) {
    const auto freshened =
        freshen(*stale_, head_, request_time_, response_time_, request_.purge_mark);
    if (!request_.directives.no_store) put_in_memory(context_, freshened, request_.purge_mark);
    return;
  }
  erase(context_, stale_->key);
}

// RFC 9111 4.4: the URI asked for, and what the answer says was changed, on the same origin.
void Fetch::invalidate_after_unsafe() {
  if (!invalidates(request_.method, head_.status)) return;
  erase(context_, request_.uri.text());
  for (const auto id : {FieldId::location, FieldId::content_location}) {
    const auto named = head_.fields.find(id);
    if (!named) continue;
    const auto uri = http::resolve_reference(request_.uri, *named);
    if (!uri || uri->scheme() != request_.uri.scheme() ||
        uri->authority() != request_.uri.authority()) {
      continue;
    }
    erase(context_, uri->text());
  }
}

void Fetch::fail_with(Error error, std::uint16_t upstream_status) {
  const bool was_streaming = mode_ == Mode::streaming;
  if (!was_streaming) {
    return finish(FetchOutcome{
        .error = std::move(error), .upstream_status = upstream_status, .shareable = true});
  }
  mode_ = Mode::done;
  context_.active.erase(this);
  auto target = std::exchange(target_, nullptr);
  exchange_.reset();
  target->end_stream(&error);
}

void Fetch::finish(FetchOutcome outcome) {
  CHECK(mode_ != Mode::done);
  mode_ = Mode::done;
  context_.active.erase(this);
  auto target = std::exchange(target_, nullptr);
  exchange_.reset();
  target->on_fetched(std::move(outcome));
}

}  // namespace revcache::cache
