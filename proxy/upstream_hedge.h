// One attempt, or two of which the first good head counts: when a mirror takes longer than it
// usually does (UpstreamMirrors::hedge_after), the next one is asked as well, once.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "proxy/upstream_attempt.h"
#include "proxy/upstream_context.h"

namespace revcache::proxy {

// Looks like one UpstreamAttempt to its listener, with the same rules: after complete or failed the
// listener hears nothing more, and from inside any call it may cancel. A failure, or a status of
// 500 and above, reaches the listener only when no other attempt is left to wait for. The loser is
// cancelled, which closes its connection. Loop thread only; cancel() before letting go of it.
class UpstreamHedge final : public std::enable_shared_from_this<UpstreamHedge> {
 public:
  struct Plan {
    UpstreamAttempt::Plan first;
    std::optional<http::Uri> second;  // a mirror that may be asked meanwhile
  };

  UpstreamHedge(std::shared_ptr<UpstreamContext> context, UpstreamSettings settings, Plan plan,
                AttemptListener& listener);

  void start();  // the listener is never called inside
  void cancel();
  void leave();  // cancel, when the response's head was all that was wanted

  void pause();
  void resume();
  void send_body(std::string_view piece, bool last);

  [[nodiscard]] bool body_begun() const noexcept;
  [[nodiscard]] bool request_begun() const noexcept;
  // Who answered; before, or when nobody did, who was asked last.
  [[nodiscard]] const http::Uri& tried() const noexcept;
  [[nodiscard]] bool second_begun() const noexcept { return second_.attempt != nullptr; }

 private:
  // One of the two, and the ear for it.
  struct Side final : AttemptListener {
    explicit Side(UpstreamHedge& owner) : hedge(owner) {}
    void on_attempt_head(http::ResponseHead head, WallTime request_time) override;
    void on_attempt_body(std::string_view piece) override;
    void on_attempt_complete() override;
    void on_attempt_failed(Error error) override;
    [[nodiscard]] bool is_pending() const noexcept { return attempt && !ended; }

    UpstreamHedge& hedge;
    std::shared_ptr<UpstreamAttempt> attempt;  // once it has begun, to the end
    MonotonicTime began;
    bool ended = false;
  };

  void begin(Side& side, const http::Uri& uri);
  void begin_second();
  void on_head(Side& side, http::ResponseHead head, WallTime request_time);
  void on_failed(Side& side, Error error);
  [[nodiscard]] Side& other(const Side& side) noexcept {
    return &side == &first_ ? second_ : first_;
  }
  static void drop(Side& side);

  std::shared_ptr<UpstreamContext> context_;  // first: destroyed last
  UpstreamSettings settings_;
  Plan plan_;
  AttemptListener* listener_;
  Side first_{*this};
  Side second_{*this};
  Side* winner_ = nullptr;
  std::unique_ptr<net::Timer> timer_;  // until the second is asked
  bool paused_ = false;
};

}  // namespace revcache::proxy
