// Start lines (RFC 9112 sections 3 and 4), read by us rather than by llhttp, which knows a fixed
// list of methods and versions and takes several spaces, RTSP and HTTP/0.9:
//   request-line = method SP request-target SP HTTP-version
//   status-line  = HTTP-version SP status-code [ SP [ reason-phrase ] ]
//   HTTP-version = "HTTP/" DIGIT "." DIGIT
// 1.x with x > 1 counts as 1.1 (RFC 9110 2.5). Pure; internal to http/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/field_reader.h"
#include "http/message.h"
#include "http/parser.h"

namespace revcache::http {

inline constexpr std::size_t kMethodBytesMax = 64;

struct RequestLine {
  std::size_t method_size = 0;  // the target begins one octet later
  std::size_t target_size = 0;
  Method method = Method::get;
  Version version;
};

struct StatusLine {
  Version version;
  std::uint16_t status = 0;
  std::string_view reason;
};

// `line` without CRLF. Also checks that the form of the target goes with the method (RFC 9112 3.2).
Fault parse_request_line(std::string_view line, std::size_t target_bytes_max, RequestLine& parsed);

// What can be told of a request line that is not complete: that it never can become one.
Fault check_partial_request_line(std::string_view line, std::size_t target_bytes_max) noexcept;

Fault parse_status_line(std::string_view line, StatusLine& parsed) noexcept;

}  // namespace revcache::http
