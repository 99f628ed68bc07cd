// Fetching over plain HTTP for commands: one question, one complete answer, blocking.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/object_kind.h"
#include "base/result.h"
#include "cache/origin.h"
#include "net/event_loop.h"

namespace revcache::commands {

// What CryptoAPI gives a URL; and all URLs of one command together.
inline constexpr std::chrono::seconds kUrlTimeout{15};
inline constexpr std::chrono::seconds kFetchingTimeout{60};

struct HttpQuestion {
  std::string url;
  ObjectKind kind = ObjectKind::other;
  std::size_t body_bytes_max = 0;
  std::optional<std::string> post;  // the content; with its media type
  std::string post_type;
  std::string authorization{};  // the field's value; then no redirect is followed
  std::chrono::milliseconds timeout = kUrlTimeout;
};

struct HttpAnswer {
  std::uint16_t status = 0;
  std::string content_type;
  std::string cache_status;
  SharedBytes body;
  double elapsed_ms = 0;
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Any status is an answer. Fails with malformed (not an http URL), too_large, timed_out, and as
  // the network does.
  virtual Result<HttpAnswer> ask(const HttpQuestion& question) = 0;
};

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
