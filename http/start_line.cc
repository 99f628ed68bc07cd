#include "http/start_line.h"

#include <algorithm>

#include "http/authority.h"
#include "http/characters.h"

namespace revcache::http {
namespace {

constexpr std::size_t kVersionBytes = 8;  // "HTTP/1.1"

Fault bad(std::string_view reason) noexcept { return {Refusal::bad_request, reason}; }

Fault parse_version(std::string_view text, Version& version) noexcept {
  const bool is_version = text.size() == kVersionBytes && text.starts_with("HTTP/") &&
                          is_digit(text[5]) && text[6] == '.' && is_digit(text[7]);
  if (!is_version) return bad("a start line without an HTTP version");
  if (text[5] != '1') return {Refusal::version_not_supported, "a version other than HTTP/1.x"};
  version.major = 1;
  version.minor = text[7] == '0' ? 0 : 1;
  return {};
}

Fault check_method(std::string_view method) noexcept {
  if (!is_token(method)) return bad("a method that is no token");
  if (method.size() > kMethodBytesMax) return bad("a method that is too long");
  return {};
}

// scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), then ":" (RFC 3986 3.1).
bool begins_with_scheme(std::string_view target) noexcept {
  const std::size_t colon = target.find(':');
  if (colon == std::string_view::npos || colon == 0 || is_digit(target.front())) return false;
  return std::ranges::all_of(target.substr(0, colon), [](char c) {
    return c == '+' || (c != '_' && is_in(CharacterClass::host, c));
  });
}

Fault check_target(Method method, std::string_view target) noexcept {
  if (!all_in(CharacterClass::target, target)) return bad("a character that no target may hold");
  if (method == Method::connect) {
    AuthorityParts parts;
    if (!parse_authority_parts(target, parts).empty() || !parts.port) {
      return bad("CONNECT to what is not host:port");
    }
    return {};
  }
  if (target.starts_with('/') || begins_with_scheme(target)) return {};
  if (target == "*" && method == Method::options) return {};
  return bad("a target of no form that goes with the method");
}

}  // namespace

Fault check_partial_request_line(std::string_view line, std::size_t target_bytes_max) noexcept {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::size_t first_space = line.find(' ');
  const Fault fault = check_method(line.substr(0, first_space));
  if (fault.is_set() || first_space == std::string_view::npos) return fault;
  if (line.size() - first_space - 1 > target_bytes_max + 1 + kVersionBytes) {
    return {Refusal::target_too_long, "a target too long"};
  }
  return {};
}

Fault parse_request_line(std::string_view line, std::size_t target_bytes_max, RequestLine& parsed) {
  // The verdict must not depend on whether the line came whole.
  Fault fault = check_partial_request_line(line, target_bytes_max);
  if (fault.is_set()) return fault;
  const std::size_t first_space = std::min(line.find(' '), line.size());
  const std::string_view method = line.substr(0, first_space);
  if (first_space == line.size()) return bad("a request line without target");

  const std::string_view rest = line.substr(first_space + 1);
  const std::size_t target_size = std::min(rest.find(' '), rest.size());
  if (target_size == 0) return bad("several spaces in a row");
  if (target_size > target_bytes_max) return {Refusal::target_too_long, "a target too long"};
  if (target_size == rest.size()) return bad("a request line without version");
  fault = parse_version(rest.substr(target_size + 1), parsed.version);
  if (fault.is_set()) return fault;

  parsed.method = method_from(method);
  parsed.method_size = method.size();
  parsed.target_size = target_size;
  return check_target(parsed.method, rest.substr(0, target_size));
}

Fault parse_status_line(std::string_view line, StatusLine& parsed) noexcept {
  const Fault fault = parse_version(line.substr(0, kVersionBytes), parsed.version);
  if (fault.is_set()) return fault;
  line.remove_prefix(kVersionBytes);
  constexpr std::size_t kCodeBytes = 4;  // with its space
  const bool has_code = line.size() >= kCodeBytes && line[0] == ' ' && is_digit(line[1]) &&
                        is_digit(line[2]) && is_digit(line[3]) && line[1] != '0';
  if (!has_code) return bad("a status line without a status code");
  parsed.status =
      static_cast<std::uint16_t>((line[1] - '0') * 100 + (line[2] - '0') * 10 + (line[3] - '0'));
  line.remove_prefix(kCodeBytes);
  if (line.empty()) return {};
  if (line.front() != ' ') return bad("a status code of more than three digits");
  parsed.reason = line.substr(1);
  if (!all_in(CharacterClass::field_value, parsed.reason)) {
    return bad("a control character in a reason phrase");
  }
  return {};
}

}  // namespace revcache::http
