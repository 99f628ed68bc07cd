// llhttp (strict) at work on field sections and on chunked bodies. Both begin from a recorded
// llhttp state: start lines are read by us (docs/decisions/0002). Internal to http/.
#pragma once

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/field_section.h"
#include "http/parser.h"

namespace revcache::http {

// The state of an llhttp that has read `text`, with the callbacks of `settings` from then on. One
// state serves requests and responses: what differs between them is decided by us. `settings` must
// outlive every copy.
llhttp_t llhttp_after(std::string_view text, const llhttp_settings_t& settings) noexcept;

enum class Progress : std::uint8_t { need_more, complete, refused };

// The fields of one head. Not movable while in use: llhttp holds its address.
class FieldReader {
 public:
  explicit FieldReader(std::size_t fields_max) : section_(fields_max) {}
  FieldReader(const FieldReader&) = delete;
  FieldReader& operator=(const FieldReader&) = delete;
  ~FieldReader() = default;

  void begin() noexcept;

  // The next octets of the section. `consumed` is all of them unless the section is complete.
  Progress read(std::string_view piece, std::size_t& consumed) noexcept;

  // After complete, with the whole text of the section: the fields become views into it.
  Progress resolve(std::string_view text);

  [[nodiscard]] FieldsView fields() const noexcept { return section_.view(); }
  [[nodiscard]] const Fault& fault() const noexcept { return fault_; }
  void release_memory() { section_.release_memory(); }

 private:
  static FieldReader& of(llhttp_t* parser) noexcept;
  static const llhttp_settings_t& settings() noexcept;

  llhttp_t llhttp_{};
  FieldSection section_;
  Fault fault_;
  const char* piece_ = nullptr;  // of the read() under way
  std::size_t offset_ = 0;       // of piece_ in the section
};

// One chunked body with its trailers (RFC 9112 section 7.1).
class ChunkedReader {
 public:
  explicit ChunkedReader(const ParserLimits& limits);
  ChunkedReader(const ChunkedReader&) = delete;
  ChunkedReader& operator=(const ChunkedReader&) = delete;
  ~ChunkedReader() = default;

  void begin() noexcept;

  // need_more, body, end or malformed (then fault() says why).
  Step feed(std::string_view chunk);

  // After end; views into memory of ours until the next begin().
  [[nodiscard]] FieldsView trailers() const noexcept { return section_.view(); }
  [[nodiscard]] const Fault& fault() const noexcept { return fault_; }
  void release_memory();

 private:
  enum class Phase : std::uint8_t { line, data, trailers };

  static ChunkedReader& of(llhttp_t* parser) noexcept;
  static const llhttp_settings_t& settings() noexcept;

  // Gives how much of `piece` llhttp took; sets fault_ when it refuses, paused_ at a callback.
  std::size_t execute(std::string_view piece) noexcept;
  Progress read_line(std::string_view chunk, std::size_t& consumed);
  bool begin_chunk();
  Step read_data(std::string_view chunk, std::size_t consumed);
  Step read_trailers(std::string_view chunk, std::size_t consumed);
  void check_trailers();

  const ParserLimits& limits_;
  llhttp_t llhttp_{};
  FieldSection section_;
  Fault fault_;
  std::string trailer_text_;
  const char* piece_ = nullptr;
  std::uint64_t remaining_ = 0;  // of the chunk under way
  std::size_t line_bytes_ = 0;  // of the chunk line under way, the CRLF of the data before included
  std::size_t overhead_bytes_ = 0;  // of framing, less what data pays for
  Phase phase_ = Phase::line;
  bool paused_ = false;
};

}  // namespace revcache::http
