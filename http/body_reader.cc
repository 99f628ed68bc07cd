#include "http/body_reader.h"

#include <algorithm>

#include "base/check.h"

namespace revcache::http {

void BodyReader::begin(const Framing& framing) noexcept {
  kind_ = framing.kind;
  remaining_ = framing.length;
  last_octet_shown_ = false;
  if (kind_ == BodyFraming::chunked) chunked_.begin();
}

Step BodyReader::feed(std::string_view chunk) {
  switch (kind_) {
    case BodyFraming::length:
      return feed_length(chunk);
    case BodyFraming::chunked:
      return chunked_.feed(chunk);
    case BodyFraming::until_close:
      return {chunk.empty() ? StepKind::need_more : StepKind::body, chunk.size(), chunk};
    case BodyFraming::none:
      break;
  }
  CHECK(kind_ != BodyFraming::none);
  return {};
}

Step BodyReader::feed_length(std::string_view chunk) noexcept {
  if (chunk.empty()) return {};
  if (last_octet_shown_) return {StepKind::end, 1, {}};
  if (chunk.size() < remaining_) {
    remaining_ -= chunk.size();
    return {StepKind::body, chunk.size(), chunk};
  }
  const std::string_view piece = chunk.substr(0, static_cast<std::size_t>(remaining_));
  last_octet_shown_ = true;
  return {StepKind::body, piece.size() - 1, piece};
}

}  // namespace revcache::http
