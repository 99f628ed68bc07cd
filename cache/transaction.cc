#include "cache/transaction.h"

#include <utility>

#include "cache/vary.h"

namespace revcache::cache {

using http::FieldId;
using http::FieldsView;
using http::Method;
using metrics::LookupOutcome;
using metrics::RequestResult;
using metrics::TierLabel;

namespace {

constexpr std::uint64_t kConditionsAndRanges =
    FieldsView::bit(FieldId::if_match) | FieldsView::bit(FieldId::if_none_match) |
    FieldsView::bit(FieldId::if_modified_since) | FieldsView::bit(FieldId::if_unmodified_since) |
    FieldsView::bit(FieldId::if_range) | FieldsView::bit(FieldId::range);

constexpr char kPurgedFlight = '\x1e';  // in no key of a response

constexpr bool may_be_evidence(ObjectKind kind) noexcept {
  return kind == ObjectKind::crl || kind == ObjectKind::delta_crl || kind == ObjectKind::ocsp;
}

// True if `response` is the variant that these request fields select (RFC 9111 4.1).
bool matches_variant(const StoredResponse& response, const FieldsView& fields) {
  if (response.vary.empty()) {
    // Not stored as a variant: with a Vary field it was another client's own.
    return !response.fields.has(FieldId::vary);
  }
  std::vector<std::string> names;
  names.reserve(response.vary.size());
  for (const auto& [name, value] : response.vary) names.push_back(name);
  return vary_values(names, fields) == response.vary;
}

}  // namespace

Transaction::Transaction(const CacheContext& context, CacheRequest request, AnswerSink* sink)
    : context_(context), request_(std::move(request)), sink_(sink) {
  request_.purge_mark = context_.shared.purges.mark();
}

void Transaction::start() {
  if (!may_use_stored()) {
    // Posted like everything else: the caller has not yet returned.
    return context_.executor.post([self = shared_from_this()] { self->lead(false); });
  }
  auto primary = context_.shared.memory.find(request_.key);
  if (primary != nullptr && primary->vary_index) {
    const auto key = variant_key_in(*primary, request_.fields.view());
    auto variant = context_.shared.memory.find(key);
    vary_miss_ = variant == nullptr;
    if (variant == nullptr) return look_on_disk(key);
    primary = std::move(variant);
  }
  if (primary == nullptr) return look_on_disk(request_.key);
  context_.executor.post([self = shared_from_this(), stored = std::move(primary)]() mutable {
    if (!self->use_stored(std::move(stored), TierLabel::memory)) self->fetch_or_wait();
  });
}

void Transaction::start_behind() {
  behind_ = true;
  stale_ = find_variant_in_memory(context_.shared.memory, request_.key, request_.fields.view());
  if (stale_ != nullptr && !holds(stale_)) {
    drop_contradicted(context_, *stale_);
    stale_ = nullptr;
  }
  context_.executor.post([self = shared_from_this()] {
    if (self->may_share()) {
      self->join();
    } else {
      self->lead(false);
    }
  });
}

bool Transaction::may_use_stored() const {
  return request_.method == Method::get || request_.method == Method::head || request_.is_ocsp;
}

// A miss of kind other with conditions of the client's own: they are passed on, and the answer
// (304, 206) is this client's alone. Held kinds are always fetched whole.
bool Transaction::passes_conditions() const {
  if (is_held_until_admitted(request_.kind)) return false;
  return stale_ == nullptr && request_.fields.view().has_any(kConditionsAndRanges);
}

bool Transaction::may_share() const {
  if (request_.has_nonce || request_.directives.no_store || passes_conditions()) return false;
  if (request_.is_ocsp) return true;
  const bool whole = request_.method == Method::get ||
                     (request_.method == Method::head && is_held_until_admitted(request_.kind));
  return whole && !request_.fields.has(FieldId::authorization);
}

// What is nowhere goes upstream within this call: a miss waits for nothing but its origin.
void Transaction::look_on_disk(const std::string& key) {
  count_lookup(TierLabel::memory, LookupOutcome::miss);
  if (context_.disk != nullptr && !context_.disk->certainly_absent(key)) {
    return context_.disk->find(
        key, [self = shared_from_this()](auto found) { self->on_disk_answer(std::move(found)); });
  }
  if (context_.disk != nullptr) count_lookup(TierLabel::disk, LookupOutcome::miss);
  starting_ = true;
  fetch_or_wait();
  starting_ = false;
}

void Transaction::on_disk_answer(Result<StoredResponsePtr> found) {
  if (!found) {
    count_lookup(TierLabel::disk, LookupOutcome::error);
    return fetch_or_wait();
  }
  auto stored = std::move(*found);
  if (stored == nullptr) {
    count_lookup(TierLabel::disk, LookupOutcome::miss);
    return fetch_or_wait();
  }
  if (context_.shared.purges.forbids(stored->key, request_.purge_mark)) {
    count_lookup(TierLabel::disk, LookupOutcome::miss);
    return fetch_or_wait();
  }
  if (holds(stored)) put_in_memory(context_, stored, request_.purge_mark);
  if (stored->vary_index) {
    auto key = variant_key_in(*stored, request_.fields.view());
    vary_miss_ = true;
    return context_.disk->find(key, [self = shared_from_this()](auto variant) {
      self->on_disk_answer(std::move(variant));
    });
  }
  vary_miss_ = false;
  if (!use_stored(std::move(stored), TierLabel::disk)) fetch_or_wait();
}

// True when it was the answer.
bool Transaction::use_stored(StoredResponsePtr stored, TierLabel tier) {
  if (!holds(stored)) {
    count_lookup(tier, LookupOutcome::miss);
    drop_contradicted(context_, *stored);
    return false;
  }
  const Decision decision = decide(*stored, request_.directives, context_.clock.wall());
  if (decision.use == Use::unusable) {
    count_lookup(tier, LookupOutcome::miss);
    stale_ = std::move(stored);  // its validators may still be sent
    return false;
  }
  if (request_.has_nonce) {
    count_lookup(tier, LookupOutcome::stale);
    last_good_ = std::move(stored);
    return false;
  }
  if (decision.use == Use::validate) {
    count_lookup(tier, LookupOutcome::stale);
    stale_ = std::move(stored);
    return false;
  }
  const bool fresh = decision.use == Use::fresh;
  count_lookup(tier, fresh ? LookupOutcome::hit : LookupOutcome::stale);
  CacheStatus status{.hit = true, .ttl = decision.ttl};
  if (decision.use == Use::stale_while_revalidate) {
    HttpCache(context_).validate_behind(request_);
  }
  answer(CacheAnswer{.response = std::move(stored),
                     .status = status,
                     .age = decision.age,
                     .result = fresh ? RequestResult::hit : RequestResult::stale});
  return true;
}

// Asked anew before each use: what is revoked while a request waits counts for it too.
bool Transaction::holds(const StoredResponsePtr& stored) const {
  return stored != nullptr && still_holds(context_, *stored);
}

void Transaction::count_lookup(TierLabel tier, LookupOutcome outcome) {
  context_.metrics
      .cache_lookups[metrics::index(request_.kind)][metrics::index(tier)][metrics::index(outcome)]
      .add();
}

// Who demands an answer from upstream misses nothing.
void Transaction::count_miss() {
  if (request_.for_refresh || request_.directives.no_cache) return;
  auto cause = metrics::MissCause::cold;
  if (request_.has_nonce) {
    cause = metrics::MissCause::nonce;
  } else if (stale_ != nullptr) {
    cause = metrics::MissCause::expired;
  } else {
    switch (context_.shared.remembered.fate_of(request_.key)) {
      case RememberedKeys::Fate::unheard_of:
        has_cold_miss_ = may_be_evidence(request_.kind);
        if (has_cold_miss_) return;
        break;
      case RememberedKeys::Fate::stored:
        cause = metrics::MissCause::evicted;
        break;
      case RememberedKeys::Fate::removed:
        cause = metrics::MissCause::purged;
        break;
    }
  }
  count_miss(cause);
}

void Transaction::count_miss(metrics::MissCause cause) {
  context_.metrics.misses[metrics::index(request_.kind)][metrics::index(cause)].add();
}

// A responder's error status has no date and is not of an unknown CA.
void Transaction::settle_cold_miss(const StoredResponse* got) {
  if (!std::exchange(has_cold_miss_, false)) return;
  const bool is_dated = got != nullptr && got->status == 200 && got->freshness.usable_until;
  const bool is_of_unknown_ca = is_dated && got->trust == Trust::unverified;
  count_miss(is_of_unknown_ca ? metrics::MissCause::unknown_ca : metrics::MissCause::cold);
}

void Transaction::fetch_or_wait() {
  if (request_.directives.only_if_cached) {
    // RFC 9111 5.2.1.7.
    return fail(Error{ErrorCode::timed_out, Blame::client, "only-if-cached, and nothing usable"},
                RequestResult::miss);
  }
  if (answer_negative() || answer_instead_of_silence()) return;
  count_miss();
  if (may_share()) return join();
  lead(false);
}

bool Transaction::answer_negative() {
  const bool asks_anew = request_.directives.no_cache || request_.has_nonce;
  if (asks_anew || !may_share() || stale_ != nullptr) return false;
  auto negative = context_.shared.negative.find(request_.key, context_.clock.monotonic());
  if (!negative) return false;
  if (negative->response == nullptr) {
    fail(std::move(negative->error), RequestResult::negative);
    return true;
  }
  const auto age = current_age(negative->response->freshness, context_.clock.wall());
  answer(CacheAnswer{.response = std::move(negative->response),
                     .status = {.hit = true, .detail = "negative"},
                     .age = age,
                     .result = RequestResult::negative});
  return true;
}

void Transaction::join() {
  // Variants of one resource are fetched side by side once it is known that they differ.
  flight_key_ = request_.key;
  const auto primary = context_.shared.memory.find(request_.key);
  if (primary != nullptr && primary->vary_index) {
    flight_key_ = variant_key_in(*primary, request_.fields.view());
  }
  // Who asks after a purge does not take the answer of a fetch that began before it.
  if (request_.purge_mark != 0) flight_key_ += kPurgedFlight + std::to_string(request_.purge_mark);
  const auto role = context_.shared.coalescer.join(
      flight_key_, context_.executor,
      [self = shared_from_this()](FlightOutcome outcome) { self->on_flight(std::move(outcome)); });
  switch (role) {
    case Coalescer::Role::leader:
      if (!answer_of_last_flight()) lead(true);
      return;
    case Coalescer::Role::overloaded:
      context_.metrics.limits_hit[metrics::index(metrics::Limit::collapse_waiters)].add();
      return fail_or_serve_stale(
          Error{ErrorCode::overloaded, Blame::local, "too many wait for this object already"});
    case Coalescer::Role::waiter:
      break;
  }
  if (behind_) return;  // the leader does what was wanted
  waiting_ = collapsed_ = true;
  wait_began_ = context_.clock.monotonic();
  context_.metrics.collapsed_requests[metrics::index(request_.kind)].add();
  wait_timer_ =
      context_.timers.after(context_.shared.options.collapse_wait_max, [self = weak_from_this()] {
        if (auto alive = self.lock()) alive->on_wait_timeout();
      });
}

// Between the look-up and now, on disk above all, another's flight may have landed: it stored what
// it got before it ended. True when that was the answer.
bool Transaction::answer_of_last_flight() {
  if (behind_) return false;
  auto stored =
      find_variant_in_memory(context_.shared.memory, request_.key, request_.fields.view());
  if (stored == nullptr || stored == stale_ || !use_stored(stored, TierLabel::memory)) return false;
  context_.shared.coalescer.finish(flight_key_, FlightOutcome{.kind = FlightOutcome::Kind::answered,
                                                              .response = std::move(stored)});
  return true;
}

void Transaction::on_flight(FlightOutcome outcome) {
  if (!waiting_) {
    // Given up meanwhile: leadership passes on.
    if (outcome.kind == FlightOutcome::Kind::lead) context_.shared.coalescer.hand_over(flight_key_);
    return;
  }
  waiting_ = false;
  wait_timer_.reset();
  context_.metrics.collapse_wait[metrics::index(request_.kind)].observe(context_.clock.monotonic() -
                                                                        wait_began_);
  switch (outcome.kind) {
    case FlightOutcome::Kind::lead:
      return lead(true);
    case FlightOutcome::Kind::go_alone:
      return lead(false);
    case FlightOutcome::Kind::failed:
      return fail_or_serve_stale(std::move(outcome.error));
    case FlightOutcome::Kind::answered:
      break;
  }
  if (!matches_variant(*outcome.response, request_.fields.view())) return lead(false);
  if (!holds(outcome.response)) return lead(false);
  if (outcome.response->status >= 500 && may_fall_back()) {
    return fail_or_serve_stale(
        Error{ErrorCode::unreachable, Blame::upstream, "upstream answered with a server error"},
        outcome.response->status);
  }
  answer_collapsed(std::move(outcome.response));
}

void Transaction::on_wait_timeout() {
  waiting_ = false;
  auto self = shared_from_this();
  wait_timer_.reset();
  fail_or_serve_stale(
      Error{ErrorCode::timed_out, Blame::upstream, "waited too long for a fetch under way"});
}

void Transaction::lead(bool shared) {
  leads_flight_ = shared;
  collapsed_ = false;
  if (sink_ == nullptr && !behind_) {
    // The client left before anything was sent.
    if (shared) context_.shared.coalescer.hand_over(flight_key_);
    leads_flight_ = false;
    return;
  }
  fetch_ = std::make_shared<Fetch>(context_, request_, request_.has_nonce ? nullptr : stale_,
                                   passes_conditions(), shared_from_this());
  fetch_->start();
}

void Transaction::pause() {
  if (fetch_ != nullptr) fetch_->pause();
}

void Transaction::resume() {
  if (fetch_ != nullptr) fetch_->resume();
}

void Transaction::send_body(std::string_view piece, bool last) {
  if (fetch_ != nullptr) fetch_->send_body(piece, last);
}

void Transaction::client_gone() {
  sink_ = nullptr;
  settle_cold_miss(nullptr);
  if (waiting_) {
    waiting_ = false;
    wait_timer_.reset();
  }
  if (fetch_ != nullptr) fetch_->client_gone();
}

}  // namespace revcache::cache
