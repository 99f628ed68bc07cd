// One fetch: attempts at mirrors in turn, redirects, one total time. Fulfils OriginExchange.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cache/origin.h"
#include "proxy/upstream_attempt.h"
#include "proxy/upstream_context.h"
#include "proxy/upstream_hedge.h"

namespace revcache::proxy {

// Lives as long as the handle that the client of Origin holds, or a callback. The total time ends
// with the response; for kind `other`, which is streamed at the pace of its reader, with the head.
// A streamed request body takes its source's time: the total begins when it has been handed over.
// Loop thread only.
class UpstreamFetch final : public std::enable_shared_from_this<UpstreamFetch>,
                            private AttemptListener {
 public:
  UpstreamFetch(std::shared_ptr<UpstreamContext> context, cache::OriginRequest request,
                cache::OriginSink& sink);

  void start();   // the sink is never called inside
  void cancel();  // the sink hears nothing more

  void pause();
  void resume();
  void send_body(std::string_view piece, bool last);

 private:
  void begin_hop();
  void try_next();
  [[nodiscard]] std::optional<http::Uri> mirror_to_hedge_with() const;
  void note_hedge();

  void on_attempt_head(http::ResponseHead head, WallTime request_time) override;
  void on_attempt_body(std::string_view piece) override;
  void on_attempt_complete() override;
  void on_attempt_failed(Error error) override;

  [[nodiscard]] bool another_mirror_may_do() const;
  [[nodiscard]] bool is_redirect(const http::ResponseHead& head) const;
  void leave_attempt(const http::ResponseHead& head, Callback<> next);
  void follow(std::uint16_t status, const std::string& location);
  [[nodiscard]] Result<http::Uri> redirect_target(std::string_view location);
  void arm_total();
  void fail_with(Error error);
  void log_failure(const Error& error);
  void finish();

  std::shared_ptr<UpstreamContext> context_;  // first: destroyed last
  UpstreamSettings settings_;
  cache::OriginRequest request_;
  cache::OriginSink* sink_;
  SharedBytes body_;
  MonotonicTime deadline_;
  std::chrono::milliseconds timeout_;
  std::unique_ptr<net::Timer> total_;
  std::vector<http::Uri> candidates_;  // of this hop; those before the next one are used up
  std::size_t next_candidate_ = 0;
  http::Uri tried_;  // the latest
  std::shared_ptr<UpstreamHedge> attempt_;
  std::set<std::string> visited_;  // by redirects
  unsigned attempts_ = 0;
  Callback<> after_attempt_;  // what to do when the response at hand, not for the sink, is over
  bool hedged_ = false;
  bool head_delivered_ = false;
  bool paused_ = false;
};

}  // namespace revcache::proxy
