#include "admin/answer.h"

#include "http/date.h"
#include "http/serializer.h"

namespace revcache::admin {

std::string render(const Answer& answer, const Framing& framing, WallTime now) {
  std::string out;
  out.reserve(512 + (framing.without_body ? 0 : answer.body.size()));
  http::append_status_line(out, answer.status, http::reason_phrase(answer.status));
  http::append_field(out, "Date", http::date_text(std::chrono::floor<std::chrono::seconds>(now)));
  // RFC 9110 8.6, 15.4.5: those of a 304 would be taken for the stored answer's.
  if (answer.status != 304) {
    http::append_field(out, "Content-Type", answer.content_type);
    http::append_field(out, "Content-Length", std::to_string(answer.body.size()));
  }
  http::append_field(out, "Cache-Control", answer.cache_control);
  http::append_field(out, "X-Content-Type-Options", "nosniff");
  http::append_field(out, "Vary", "Accept-Encoding");
  if (answer.gzipped) http::append_field(out, "Content-Encoding", "gzip");
  for (const auto& [name, value] : answer.fields) {
    const bool weakened = answer.gzipped && name == "ETag" && !value.starts_with("W/");
    http::append_field(out, name, weakened ? "W/" + std::string(value) : std::string(value));
  }
  if (!framing.keep_alive) {
    http::append_field(out, "Connection", "close");
  } else if (framing.say_keep_alive) {
    http::append_field(out, "Connection", "keep-alive");
  }
  out += "\r\n";
  if (!framing.without_body) out += answer.body;
  return out;
}

}  // namespace revcache::admin
