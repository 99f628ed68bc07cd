// The head of one message, start line and fields, however its octets arrive: whole in one chunk it
// is not copied; in pieces it is gathered, and no octet is looked at twice. Internal to http/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/field_reader.h"
#include "http/parser.h"

namespace revcache::http {

class HeadReader {
 public:
  enum class Event : std::uint8_t {
    need_more,   // everything was consumed
    start_line,  // start_line() is there; call again with what is left of the chunk
    complete,    // text() and fields() are there
    refused,     // fault() says why
  };

  explicit HeadReader(const ParserLimits& limits) : limits_(limits), fields_(limits.fields_max) {}

  void begin() noexcept;

  Event read(std::string_view chunk, std::size_t& consumed);

  // Without CRLF. Until the next read().
  [[nodiscard]] std::string_view start_line() const noexcept;
  // What has come of the head. Views into the last chunk or into memory of ours, until the next
  // read() or begin().
  [[nodiscard]] std::string_view text() const noexcept;
  [[nodiscard]] FieldsView fields() const noexcept { return fields_.fields(); }
  [[nodiscard]] const Fault& fault() const noexcept { return fault_; }

  // Gives memory back that an unusual head took. Invalidates the views.
  void release_memory();

 private:
  Event read_start_line(std::string_view piece, std::size_t& consumed);
  Event read_fields(std::string_view piece, std::size_t& consumed);
  Event need_more();
  void take(std::string_view piece);

  const ParserLimits& limits_;
  FieldReader fields_;
  Fault fault_;
  std::string gathered_;
  const char* in_place_ = nullptr;  // where the head begins, while it lies in one chunk
  std::size_t size_ = 0;            // of the head so far
  std::size_t line_size_ = 0;       // of the start line with CRLF; 0: not complete
  bool is_gathered_ = false;
};

}  // namespace revcache::http
