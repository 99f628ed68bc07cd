#include <utility>

#include "cache/cache_key.h"
#include "cache/transaction.h"

namespace revcache::cache {

using metrics::RequestResult;

// Behind a client's back nobody is there to be told of the error.
bool Transaction::may_fall_back() const {
  return behind_ || may_serve_stale(Error{ErrorCode::unreachable, Blame::upstream, {}});
}

bool Transaction::begin_stream(http::ResponseHead head, bool will_be_stored) {
  if (leads_flight_) {
    leads_flight_ = false;
    context_.shared.coalescer.finish(flight_key_,
                                     FlightOutcome{.kind = FlightOutcome::Kind::go_alone});
  }
  settle_cold_miss(nullptr);
  if (sink_ == nullptr) return behind_ && will_be_stored;
  const bool unshared = !may_use_stored() || request_.directives.no_store;
  const CacheStatus status{
      .forwarded = forwarded(), .forward_status = head.status, .stored = will_be_stored};
  sink_->on_stream_head(std::move(head), status,
                        unshared ? RequestResult::bypass : RequestResult::miss);
  return true;
}

void Transaction::stream_body(std::string_view piece) {
  if (sink_ != nullptr) sink_->on_stream_body(piece);
}

void Transaction::end_stream(const Error* error) {
  fetch_.reset();
  auto* sink = std::exchange(sink_, nullptr);
  if (sink == nullptr) return;
  if (error == nullptr) return sink->on_stream_end();
  sink->on_failed(*error, RequestResult::error);
}

void Transaction::on_fetched(FetchOutcome outcome) {
  auto self = shared_from_this();
  fetch_.reset();
  if (outcome.response != nullptr && !holds(outcome.response)) {
    drop_contradicted(context_, *outcome.response);
    outcome.response = nullptr;
    outcome.error = Error{ErrorCode::untrusted, Blame::upstream,
                          "contradicts_revocation: revoked while it was fetched"};
  }
  const Error failure{ErrorCode::unreachable, Blame::upstream, "the responder has no answer now"};
  if (outcome.is_failure && may_serve_stale(failure)) {
    outcome.response = nullptr;
    outcome.error = failure;
  }
  end_flight(outcome);
  if (outcome.response == nullptr) {
    if (may_share() && !may_serve_stale(outcome.error)) {
      put_negative(context_, request_, NegativeAnswer{.error = outcome.error});
    }
    return fail_or_serve_stale(std::move(outcome.error), outcome.upstream_status);
  }
  answer_fetched(outcome);
}

void Transaction::end_flight(const FetchOutcome& outcome) {
  if (!leads_flight_) return;
  leads_flight_ = false;
  auto& coalescer = context_.shared.coalescer;
  if (outcome.response != nullptr) {
    const bool share = outcome.shareable;
    return coalescer.finish(
        flight_key_,
        FlightOutcome{.kind = share ? FlightOutcome::Kind::answered : FlightOutcome::Kind::go_alone,
                      .response = share ? outcome.response : nullptr});
  }
  // A connection that died is worth one more try by whoever waits; a refusal or timeout is not.
  const bool died = outcome.error.code == ErrorCode::disconnected;
  if (died && !coalescer.was_handed_over(flight_key_)) return coalescer.hand_over(flight_key_);
  coalescer.finish(flight_key_,
                   FlightOutcome{.kind = FlightOutcome::Kind::failed, .error = outcome.error});
}

void Transaction::answer_collapsed(StoredResponsePtr response) {
  const auto now = context_.clock.wall();
  const auto age = current_age(response->freshness, now);
  const CacheStatus status{.forwarded = forwarded(),
                           .forward_status = response->status,
                           .ttl = response->freshness.lifetime - age,
                           .collapsed = true};
  answer(CacheAnswer{.response = std::move(response),
                     .status = status,
                     .age = age,
                     .result = RequestResult::collapsed});
}

void Transaction::answer_fetched(const FetchOutcome& outcome) {
  const auto age = current_age(outcome.response->freshness, context_.clock.wall());
  CacheStatus status{.forwarded = forwarded(),
                     .forward_status = outcome.upstream_status,
                     .stored = outcome.stored};
  if (outcome.stored) status.ttl = outcome.response->freshness.lifetime - age;
  RequestResult result = outcome.revalidated ? RequestResult::revalidated : RequestResult::miss;
  if (request_.has_nonce) result = RequestResult::bypass;
  answer(CacheAnswer{.response = outcome.response, .status = status, .age = age, .result = result});
}

bool Transaction::may_serve_stale(const Error& error) const {
  if (holds(last_good_)) return true;
  if (!holds(stale_) || error.code == ErrorCode::refused) return false;
  const auto decision = decide(*stale_, request_.directives, context_.clock.wall());
  if (decision.use == Use::unusable) return false;
  if (decision.usable_on_error) return true;
  // RFC 9111 4.2.4: a disconnected cache may serve stale unless a directive forbids it. For
  // revocation data that is what keeps logins going through an outage.
  const auto& facts = stale_->freshness;
  return is_held_until_admitted(stale_->kind) && !facts.no_cache && !facts.must_revalidate &&
         !request_.directives.no_cache && !request_.directives.max_age &&
         !request_.directives.min_fresh;
}

// Only the client's own directives stand in the way of what is stored.
bool Transaction::is_forced() const {
  if (stale_ == nullptr) return false;
  const auto use = decide(*stale_, {}, context_.clock.wall()).use;
  return use != Use::validate && use != Use::unusable;
}

// RFC 9111 5.2.1.4: who says no-cache prefers an answer of the origin, and who sends a nonce a
// fresh one (RFC 9654 2.1). An origin that has just been silent would keep each of them waiting for
// the copy that they get in the end (RFC 5861 4).
bool Transaction::answer_instead_of_silence() {
  const bool has_copy = request_.has_nonce ? holds(last_good_) : may_share() && is_forced();
  if (request_.for_refresh || !has_copy || !may_fall_back()) return false;
  auto silence = context_.shared.silent.find(origin_of(request_.uri), context_.clock.monotonic());
  if (!silence) return false;
  if (silence->probe_is_due) HttpCache(context_).validate_behind(request_);
  serve_stale(std::move(silence->error), {.hit = true});
  return true;
}

void Transaction::fail_or_serve_stale(Error error, std::uint16_t upstream_status) {
  if (!may_serve_stale(error)) {
    // RFC 9111 5.2.2.2: what has to be validated and cannot be is a 504.
    const bool silent =
        error.code == ErrorCode::unreachable || error.code == ErrorCode::disconnected;
    if (silent && stale_ != nullptr && stale_->freshness.must_revalidate) {
      error.code = ErrorCode::timed_out;
    }
    return fail(std::move(error), RequestResult::error);
  }
  // RFC 9211 2.1: what did not go forward is a hit; 2.2: what did, and failed there, is none.
  CacheStatus status{.hit = error.code == ErrorCode::overloaded, .forwarded = forwarded()};
  if (upstream_status != 0) status.forward_status = upstream_status;
  status.collapsed = collapsed_;
  serve_stale(std::move(error), status);
}

void Transaction::serve_stale(Error error, CacheStatus status) {
  auto response = holds(last_good_) ? last_good_ : stale_;
  const auto age = current_age(response->freshness, context_.clock.wall());
  status.ttl = response->freshness.lifetime - age;
  status.detail = "stale-if-error";
  answer(CacheAnswer{.response = std::move(response),
                     .status = status,
                     .age = age,
                     .result = RequestResult::stale,
                     .failure = std::move(error)});
}

void Transaction::answer(CacheAnswer answer) {
  if (starting_) {
    return context_.executor.post(
        [self = shared_from_this(), answer = std::move(answer)]() mutable {
          self->answer(std::move(answer));
        });
  }
  settle_cold_miss(answer.response.get());
  if (!request_.for_refresh) note_asked(context_.shared, *answer.response);
  if (auto* sink = std::exchange(sink_, nullptr)) sink->on_answer(std::move(answer));
}

void Transaction::fail(Error error, RequestResult result) {
  if (starting_) {
    return context_.executor.post([self = shared_from_this(), error = std::move(error),
                                   result]() mutable { self->fail(std::move(error), result); });
  }
  settle_cold_miss(nullptr);
  if (auto* sink = std::exchange(sink_, nullptr)) sink->on_failed(std::move(error), result);
}

Forwarded Transaction::forwarded() const {
  if (!may_use_stored()) return Forwarded::method;
  if (request_.has_nonce || request_.directives.no_store) return Forwarded::bypass;
  if (stale_ != nullptr) {
    const auto decision = decide(*stale_, {}, context_.clock.wall());
    return decision.use == Use::fresh ? Forwarded::request : Forwarded::stale;
  }
  return vary_miss_ ? Forwarded::vary_miss : Forwarded::uri_miss;
}

}  // namespace revcache::cache
