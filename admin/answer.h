// One answer of the admin port, and its bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace revcache::admin {

inline constexpr std::string_view kPlainText = "text/plain; charset=utf-8";
inline constexpr std::string_view kJson = "application/json";

struct Answer {
  std::uint16_t status = 200;
  std::string_view content_type = kPlainText;   // static storage
  std::string_view cache_control = "no-store";  // alike
  std::string body;
  // Further fields; names and values in static storage.
  std::vector<std::pair<std::string_view, std::string_view>> fields{};
  // The body is, by now. A strong ETag is then given as a weak one, since it is that of other
  // octets (RFC 9110 8.8.1).
  bool gzipped = false;
};

struct Framing {
  bool keep_alive = true;
  bool without_body = false;    // HEAD
  bool say_keep_alive = false;  // to an HTTP/1.0 client, which would expect a close
};

// Head and body. Nothing of it may be guessed at by a browser, nor stored but by what the answer's
// cache_control says.
std::string render(const Answer& answer, const Framing& framing, WallTime now);

}  // namespace revcache::admin
