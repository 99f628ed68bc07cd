// The content of one message, whatever its framing. Internal to http/.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/field_reader.h"
#include "http/framing.h"
#include "http/parser.h"

namespace revcache::http {

class BodyReader {
 public:
  explicit BodyReader(const ParserLimits& limits) : chunked_(limits) {}

  // For a message without body too: it has no trailers.
  void begin(const Framing& framing) noexcept;

  // True when the body only ends with the connection.
  [[nodiscard]] bool ends_with_connection() const noexcept {
    return kind_ == BodyFraming::until_close;
  }

  // need_more, body, end or malformed. `end` always comes with at least one octet consumed: of a
  // body framed by length the last octet is shown with its piece and consumed with `end`, so that
  // whoever feeds until nothing is left hears of it. Never ends a body framed by close.
  Step feed(std::string_view chunk);

  [[nodiscard]] FieldsView trailers() const noexcept {
    return kind_ == BodyFraming::chunked ? chunked_.trailers() : FieldsView{};
  }
  [[nodiscard]] const Fault& fault() const noexcept { return chunked_.fault(); }
  void release_memory() { chunked_.release_memory(); }

 private:
  Step feed_length(std::string_view chunk) noexcept;

  ChunkedReader chunked_;
  BodyFraming kind_ = BodyFraming::none;
  std::uint64_t remaining_ = 0;  // octets not yet consumed
  bool last_octet_shown_ = false;
};

}  // namespace revcache::http
