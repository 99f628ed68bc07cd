// How evidence is fetched, as those see it who need some: one question, one complete answer over
// plain http, blocking.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/object_kind.h"
#include "base/result.h"

namespace revcache::pki {

// What CryptoAPI gives a URL.
inline constexpr std::chrono::seconds kUrlTimeout{15};

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

class HttpSource {
 public:
  virtual ~HttpSource() = default;
  // Any status is an answer. Fails with malformed (not an http URL), too_large, timed_out, and as
  // the network does.
  virtual Result<HttpAnswer> ask(const HttpQuestion& question) = 0;
};

}  // namespace revcache::pki
