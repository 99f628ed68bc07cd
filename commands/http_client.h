// Fetching over plain HTTP for commands: one question, one complete answer, blocking.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "cache/origin.h"
#include "net/event_loop.h"
#include "pki/http_source.h"

namespace revcache::commands {

// All URLs of one command together, or its first if that may take longer.
inline constexpr std::chrono::seconds kFetchingTimeout{60};

using HttpQuestion = pki::HttpQuestion;
using HttpAnswer = pki::HttpAnswer;
using HttpClient = pki::HttpSource;

// Over `origin`, whose loop this runs while it waits: nobody else may. All outlive it.
class OriginHttpClient final : public HttpClient {
 public:
  OriginHttpClient(net::EventLoop& loop, cache::Origin& origin, const Clock& clock)
      : loop_(loop), origin_(origin), clock_(clock) {}

  Result<HttpAnswer> ask(const HttpQuestion& question) override;
  // What bounds all questions together counts from the next one.
  void start_over() { deadline_.reset(); }

 private:
  Result<std::chrono::milliseconds> time_left(std::chrono::milliseconds timeout);

  net::EventLoop& loop_;
  cache::Origin& origin_;
  const Clock& clock_;
  std::optional<MonotonicTime> deadline_;  // from the first question on
};

}  // namespace revcache::commands
