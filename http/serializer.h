// Heads to bytes, and the fields that stop at each hop. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"

namespace revcache::http {

// RFC 9110 15 reason phrase; "Unknown" for a status without one. Static storage.
std::string_view reason_phrase(std::uint16_t status) noexcept;

// "HTTP/1.1 200 OK\r\n". The version on the wire is always our own, 1.1 (RFC 9110 2.5).
void append_status_line(std::string& out, std::uint16_t status, std::string_view reason);
// "GET target HTTP/1.1\r\n"
void append_request_line(std::string& out, std::string_view method, std::string_view target);
// "Name: value\r\n". The value must not contain CR, LF or NUL (checked: CHECK).
void append_field(std::string& out, std::string_view name, std::string_view value);
void append_fields(std::string& out, const FieldsView& fields);

// The end-to-end fields: without Connection and what it lists, Keep-Alive, Proxy-Connection,
// Proxy-Authenticate, Proxy-Authentication-Info, Proxy-Authorization, TE, Trailer,
// Transfer-Encoding, Upgrade, HTTP2-Settings (RFC 9110 7.6.1). Content-Length is kept.
Fields end_to_end_fields(const FieldsView& fields);

// True if a comma list value has this token (case-insensitive, parameters ignored).
bool list_has_token(std::string_view list, std::string_view token) noexcept;

}  // namespace revcache::http
