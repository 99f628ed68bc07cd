// What the parsers of requests and of responses share: where in a message they are, and what the
// next octets are part of. Internal to http/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/body_reader.h"
#include "http/head_reader.h"
#include "http/parser.h"

namespace revcache::http {

class MessageReader {
 public:
  MessageReader(const MessageReader&) = delete;
  MessageReader& operator=(const MessageReader&) = delete;

  Step feed(std::string_view chunk);

  [[nodiscard]] FieldsView trailers() const noexcept { return body_.trailers(); }

 protected:
  enum class Phase : std::uint8_t { between, before, head, body, tunnel, failed };

  explicit MessageReader(const ParserLimits& limits) : reader_(limits), body_(limits) {}
  ~MessageReader() = default;

  // Octets before the head, in phase between or before.
  virtual Step begin_message(std::string_view chunk) = 0;
  virtual Step read_head(std::string_view chunk, std::size_t consumed) = 0;
  // Makes an error of it.
  virtual void on_refused(const Fault& fault) = 0;

  Step refuse(const Fault& fault, std::size_t consumed);

  HeadReader reader_;
  BodyReader body_;
  Phase phase_ = Phase::between;

 private:
  Step read_body(std::string_view chunk);
};

}  // namespace revcache::http
