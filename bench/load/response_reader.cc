#include "bench/load/response_reader.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

namespace revcache::bench {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::size_t kHeadBytesMax = 64 * 1024;

// The value of a field in a head whose lines end in CRLF; an empty view when it is not there.
std::string_view field_value(std::string_view head, std::string_view name) {
  std::size_t line = head.find("\r\n");
  while (line != std::string_view::npos) {
    line += 2;
    const std::size_t end = head.find("\r\n", line);
    const std::string_view text = head.substr(line, end - line);
    if (text.size() > name.size() && text[name.size()] == ':' &&
        strncasecmp(text.data(), name.data(), name.size()) == 0) {
      const std::size_t value = text.find_first_not_of(' ', name.size() + 1);
      return value == std::string_view::npos ? std::string_view{} : text.substr(value);
    }
    line = end;
  }
  return {};
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

}  // namespace

ResponseReader::ResponseReader() : hash_(XXH3_createState()) {}

ResponseReader::Outcome ResponseReader::feed(std::string_view& chunk) {
  if (in_body_) return take_body(chunk);
  if (partial_head_.empty()) {
    const std::size_t end = chunk.find(kHeadEnd);
    if (end == std::string_view::npos) {
      partial_head_ = chunk;
      chunk = {};
      return Outcome::need_more;
    }
    if (!take_head(chunk.substr(0, end + 2))) return Outcome::malformed;
    chunk.remove_prefix(end + kHeadEnd.size());
    return take_body(chunk);
  }
  const std::size_t before = partial_head_.size();
  partial_head_ += chunk;
  const std::size_t end = partial_head_.find(kHeadEnd, before < 3 ? 0 : before - 3);
  if (end == std::string_view::npos) {
    chunk = {};
    return partial_head_.size() > kHeadBytesMax ? Outcome::malformed : Outcome::need_more;
  }
  chunk.remove_prefix(end + kHeadEnd.size() - before);
  const bool good = take_head(std::string_view(partial_head_).substr(0, end + 2));
  partial_head_.clear();
  return good ? take_body(chunk) : Outcome::malformed;
}

ResponseReader::Outcome ResponseReader::finish() {
  return in_body_ && until_close_ ? complete() : Outcome::malformed;
}

// `head` ends with the CRLF of its last line.
bool ResponseReader::take_head(std::string_view head) {
  const auto status = head.size() > 12 ? number_in<int>(head.substr(9, 3)) : std::nullopt;
  if (!status || !head.starts_with("HTTP/1.")) return false;
  summary_ = {.status = *status};
  if (!field_value(head, "transfer-encoding").empty()) return false;
  const bool empty = *status == 304 || *status == 204;
  const auto length = number_in<std::uint64_t>(field_value(head, "content-length"));
  remaining_ = empty ? 0 : length.value_or(0);
  until_close_ = !empty && !length;
  in_body_ = true;
  XXH3_64bits_reset(hash_.get());
  return true;
}

ResponseReader::Outcome ResponseReader::take_body(std::string_view& chunk) {
  const std::size_t take =
      until_close_ ? chunk.size()
                   : static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, chunk.size()));
  XXH3_64bits_update(hash_.get(), chunk.data(), take);
  summary_.body_bytes += take;
  chunk.remove_prefix(take);
  if (until_close_) return Outcome::need_more;
  remaining_ -= take;
  return remaining_ == 0 ? complete() : Outcome::need_more;
}

ResponseReader::Outcome ResponseReader::complete() {
  summary_.body_hash = XXH3_64bits_digest(hash_.get());
  in_body_ = false;
  return Outcome::complete;
}

}  // namespace revcache::bench
