// Content codings of the admin port's answers (RFC 9110 8.4, 12.5.3): gzip or none. The proxy port
// knows none: there bytes are handed on as they were signed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "http/message.h"

namespace revcache::admin {

// Shorter ones would hardly shrink, and fit one packet anyway.
inline constexpr std::size_t kGzipBytesMin = 1024;

// Which codings a client takes. Neither: 406.
struct Codings {
  bool gzip = false;
  bool identity = true;
  friend bool operator==(const Codings&, const Codings&) = default;
};

// Accept-Encoding = #( codings [ ";" "q=" qvalue ] ), all of its lines together. gzip when it is
// named, or "*" stands for it, with a weight above 0 and not below that of identity. A member that
// cannot be read asks for nothing.
Codings accepted_codings(const http::FieldsView& fields);

// RFC 1952, one member, without name and time: equal text, equal octets. Takes some milliseconds a
// megabyte: off the loop.
std::string gzip(std::string_view text);

}  // namespace revcache::admin
