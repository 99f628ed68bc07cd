// One field section (RFC 9112 section 5), collected from llhttp's callbacks:
//   *( field-name ":" OWS field-value OWS CRLF ) CRLF
// llhttp tells where names and values lie; resolve() then proves that the text has exactly this
// shape. That refuses what llhttp lets through even in strict mode: obs-fold, an empty field name,
// a bare LF as the empty line. Internal to http/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "http/parser.h"

namespace revcache::http {

// Why a message is refused. `reason` is static; empty when nothing is wrong.
struct Fault {
  Refusal refusal = Refusal::none;
  std::string_view reason;
  [[nodiscard]] bool is_set() const noexcept { return refusal != Refusal::none; }
};

class FieldSection {
 public:
  explicit FieldSection(std::size_t fields_max);

  void clear() noexcept;

  // Pieces in the order of the text; offsets from the section's first octet. A piece may continue
  // the one before. Lines past fields_max are not kept and told by resolve(): when a piece comes
  // depends on how the octets are cut, and the verdict must not.
  void add_name(std::size_t at, std::size_t size) noexcept;
  void add_value(std::size_t at, std::size_t size) noexcept;

  // `text` is the whole section with its empty line. Fills view() with views into it.
  [[nodiscard]] Fault resolve(std::string_view text);

  [[nodiscard]] FieldsView view() const noexcept { return {fields_, present_}; }

  // Gives memory back that an unusually large section took.
  void release_memory();

 private:
  struct Line {
    std::uint32_t name_at = 0;
    std::uint32_t name_size = 0;
    std::uint32_t value_at = 0;
    std::uint32_t value_size = 0;
  };

  // Takes one line off the front of `text`. Gives what is wrong with it, or nothing.
  std::string_view take_line(const Line& line, std::string_view text, std::size_t& cursor);

  std::size_t fields_max_;
  std::vector<Line> lines_;
  std::vector<Field> fields_;
  std::uint64_t present_ = 0;
  bool in_value_ = true;  // the last piece was of a value: a name begins a new line
  bool folded_ = false;
  bool too_many_ = false;
};

}  // namespace revcache::http
