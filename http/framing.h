// Where a message ends (RFC 9112 section 6) and whether its connection lives on (section 9.3). What
// is in doubt is refused. Pure; internal to http/.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/field_reader.h"
#include "http/message.h"

namespace revcache::http {

struct Framing {
  BodyFraming kind = BodyFraming::none;  // none also for a length of 0
  std::uint64_t length = 0;
};

// At most one of Transfer-Encoding (exactly "chunked", not in HTTP/1.0) and Content-Length (one
// line, digits only, below 2^63). Without either: none.
Fault explicit_framing(Version version, const FieldsView& fields, Framing& framing) noexcept;

// Section 6.3, rules 1, 2 and 8, on top of explicit_framing.
Fault response_framing(Method request_method, std::uint16_t status, Version version,
                       const FieldsView& fields, Framing& framing) noexcept;

// HTTP/1.1: unless an option says close. HTTP/1.0: if an option says keep-alive. Options are those
// of Connection and of Proxy-Connection, which old clients send to proxies.
bool keeps_alive(Version version, const FieldsView& fields) noexcept;

}  // namespace revcache::http
