#include "proxy/error_reply.h"

#include <string>

#include "http/date.h"
#include "http/serializer.h"

namespace revcache::proxy {

namespace {

std::uint16_t upstream_status(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::timed_out:
      return 504;
    case ErrorCode::overloaded:
      return 503;
    case ErrorCode::loop_detected:
      return 508;
    case ErrorCode::refused:
      return 403;
    case ErrorCode::malformed:
    case ErrorCode::too_large:
    case ErrorCode::untrusted:
    case ErrorCode::corrupt:
    case ErrorCode::unreachable:
    case ErrorCode::disconnected:
    case ErrorCode::unsupported:
      return 502;
  }
  return 502;
}

std::string_view sentence(const Error& error) noexcept {
  switch (error.code) {
    case ErrorCode::timed_out:
      return "The upstream server did not answer in time";
    case ErrorCode::overloaded:
      return "Too many requests wait for this already; try again";
    case ErrorCode::loop_detected:
      return "This request leads back to this proxy";
    case ErrorCode::refused:
      return "This destination is not allowed";
    case ErrorCode::unreachable:
      return "The upstream server cannot be reached";
    case ErrorCode::disconnected:
      return "The upstream server closed the connection too early";
    case ErrorCode::too_large:
      return "The upstream server's answer is over a limit";
    case ErrorCode::untrusted:
      return "The upstream server's answer does not verify";
    case ErrorCode::malformed:
      return "The upstream server's answer is not what it should be";
    case ErrorCode::corrupt:
    case ErrorCode::unsupported:
      return "The request cannot be answered";
  }
  return "The request cannot be answered";
}

}  // namespace

TextReply reply_for(const Error& error) {
  TextReply reply;
  reply.status = error.blame == Blame::client && error.code == ErrorCode::timed_out
                     ? std::uint16_t{504}  // only-if-cached, RFC 9111 5.2.1.7
                     : upstream_status(error.code);
  reply.text = sentence(error);
  const bool names_reason = error.code == ErrorCode::malformed ||
                            error.code == ErrorCode::untrusted ||
                            error.code == ErrorCode::too_large ||
                            error.code == ErrorCode::refused || error.blame == Blame::client;
  if (names_reason && !error.detail.empty()) reply.text += ": " + error.detail;
  if (reply.status == 503) reply.retry_after = std::chrono::seconds(1);
  return reply;
}

TextReply reply_for(http::Refusal refusal) {
  switch (refusal) {
    case http::Refusal::header_too_large:
    case http::Refusal::too_many_fields:
      return {.status = 431,
              .text = "Request head over limits.header_bytes or limits.header_fields",
              .close = true,
              .allow = {},
              .cache_status = {}};
    case http::Refusal::target_too_long:
      return {.status = 414,
              .text = "Request target over limits.target_bytes",
              .close = true,
              .allow = {},
              .cache_status = {}};
    case http::Refusal::version_not_supported:
      return {.status = 505,
              .text = "Only HTTP/1.0 and HTTP/1.1 are spoken here",
              .close = true,
              .allow = {},
              .cache_status = {}};
    case http::Refusal::transfer_coding_not_implemented:
      return {.status = 501,
              .text = "The only transfer coding understood is chunked",
              .close = true,
              .allow = {},
              .cache_status = {}};
    case http::Refusal::none:
    case http::Refusal::bad_request:
      break;
  }
  return {.status = 400,
          .text = "The request is malformed or its framing is in doubt",
          .close = true,
          .allow = {},
          .cache_status = {}};
}

std::size_t body_size(const TextReply& reply) noexcept {
  const bool add_newline = !reply.text.empty() && !reply.text_is_binary;
  return reply.text.size() + (add_newline ? 1 : 0);
}

std::string render(const TextReply& reply, WallSeconds now, std::string_view connection_field,
                   bool head_only) {
  std::string out;
  out.reserve(320 + reply.text.size());
  http::append_status_line(out, reply.status, http::reason_phrase(reply.status));
  http::append_field(out, "Date", http::date_text(now));
  http::append_field(out, "Via", "1.1 revcache");
  if (!reply.allow.empty()) http::append_field(out, "Allow", reply.allow);
  if (reply.retry_after) {
    http::append_field(out, "Retry-After", std::to_string(reply.retry_after->count()));
  }
  if (!reply.cache_control.empty()) http::append_field(out, "Cache-Control", reply.cache_control);
  if (!reply.cache_status.empty()) http::append_field(out, "Cache-Status", reply.cache_status);
  const std::size_t size = body_size(reply);
  if (size != 0) http::append_field(out, "Content-Type", reply.content_type);
  http::append_field(out, "Content-Length", std::to_string(size));
  out += connection_field;
  out += "\r\n";
  if (head_only) return out;
  out += reply.text;
  if (size > reply.text.size()) out += '\n';
  return out;
}

}  // namespace revcache::proxy
