// One request to one host: a connection, the request, the response. Repeated once by itself when
// a connection from the pool turns out to be dead.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "cache/origin.h"
#include "proxy/upstream_connection.h"
#include "proxy/upstream_context.h"
#include "proxy/upstream_dial.h"
#include "proxy/upstream_route.h"

namespace revcache::proxy {

// Hears how an attempt goes. After complete or failed it hears nothing more; from inside any call
// it may cancel the attempt.
class AttemptListener {
 public:
  virtual void on_attempt_head(http::ResponseHead head, WallTime request_time) = 0;
  virtual void on_attempt_body(std::string_view piece) = 0;
  virtual void on_attempt_complete() = 0;
  virtual void on_attempt_failed(Error error) = 0;

 protected:
  ~AttemptListener() = default;
};

// Deadlines: up to the head, upstream.attempt_timeout, which stands still while a streamed body
// waits for its source; then limits.upstream_rate_min, which stands still while paused. The total
// is the listener's to watch. Loop thread only; cancel() before letting go of it.
class UpstreamAttempt final : public std::enable_shared_from_this<UpstreamAttempt>,
                              private UpstreamConnection::User {
 public:
  struct Plan {
    const cache::OriginRequest& request;  // outlives the attempt, or its cancel()
    SharedBytes body;                     // the same as request.body
    http::Uri uri;                        // a mirror's, or the request's own
    MonotonicTime deadline;               // of the whole fetch
  };

  UpstreamAttempt(std::shared_ptr<UpstreamContext> context, UpstreamSettings settings, Plan plan,
                  AttemptListener& listener);

  void start();  // the listener is never called inside
  void cancel();
  void leave();  // cancel, when the response's head was all that was wanted

  void pause();
  void resume();
  void send_body(std::string_view piece, bool last);

  [[nodiscard]] const http::Uri& uri() const noexcept { return plan_.uri; }
  // True once the source of a streamed body was asked: another attempt could not repeat it.
  [[nodiscard]] bool body_begun() const noexcept { return body_begun_; }
  // True once a connection was there: the request may have reached the origin.
  [[nodiscard]] bool request_begun() const noexcept { return request_begun_; }

 private:
  void arm_deadline();
  void acquire(bool fresh);
  void on_lease(UpstreamLease lease);
  void dial(UpstreamSlot slot);
  void on_dialed(Result<std::unique_ptr<net::Stream>> dialed);
  void exchange_on(std::shared_ptr<UpstreamConnection> connection);
  void send_request();
  void on_request_sent();
  void want_body();
  void on_piece_sent(bool last);

  void on_response_head(http::ResponseHead head) override;
  void on_response_body(std::string_view piece) override;
  void on_response_end() override;
  void on_connection_failed(Error error) override;

  void on_deadline();
  void watch_rate();
  [[nodiscard]] bool may_try_again(ErrorCode code) const;
  void try_again();
  void fail_with(Error error);
  void release_all();
  void count(metrics::UpstreamOutcome outcome);
  void observe(metrics::UpstreamPhase phase, MonotonicTime since);

  std::shared_ptr<UpstreamContext> context_;  // first: destroyed last
  UpstreamSettings settings_;
  Plan plan_;
  AttemptListener* listener_;
  UpstreamRoute route_;
  std::unique_ptr<UpstreamTicket> ticket_;
  UpstreamSlot slot_;
  std::shared_ptr<UpstreamDial> dial_;
  std::shared_ptr<UpstreamConnection> connection_;
  std::unique_ptr<net::Timer> timer_;  // to the head: the deadline; then: the rate
  WallTime request_time_;
  MonotonicTime phase_began_;
  std::uint16_t status_ = 0;
  std::uint64_t window_bytes_ = 0;  // of the body, since the rate was last looked at
  bool request_begun_ = false;
  bool body_begun_ = false;
  bool head_seen_ = false;
  bool paused_ = false;
};

}  // namespace revcache::proxy
