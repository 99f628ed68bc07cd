#include "http/field_section.h"

#include "http/characters.h"

namespace revcache::http {
namespace {

constexpr std::size_t kUsualFields = 16;
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kFolded = "a folded field line (obs-fold)";

}  // namespace

FieldSection::FieldSection(std::size_t fields_max) : fields_max_(fields_max) {
  lines_.reserve(kUsualFields);
  fields_.reserve(kUsualFields);
}

void FieldSection::clear() noexcept {
  lines_.clear();
  fields_.clear();
  present_ = 0;
  in_value_ = true;
  folded_ = false;
  too_many_ = false;
}

void FieldSection::add_name(std::size_t at, std::size_t size) noexcept {
  if (in_value_) {
    too_many_ = too_many_ || lines_.size() == fields_max_;
    if (!too_many_) lines_.push_back({.name_at = static_cast<std::uint32_t>(at)});
    in_value_ = false;
  }
  if (!too_many_) lines_.back().name_size += static_cast<std::uint32_t>(size);
}

void FieldSection::add_value(std::size_t at, std::size_t size) noexcept {
  if (too_many_) {
    in_value_ = true;
    return;
  }
  if (lines_.empty()) return;
  Line& line = lines_.back();
  if (!in_value_) {
    line.value_at = static_cast<std::uint32_t>(at);
    in_value_ = true;
  } else if (size > 0 && at != std::size_t{line.value_at} + line.value_size) {
    folded_ = true;  // a line end lies between the pieces
  }
  line.value_size += static_cast<std::uint32_t>(size);
}

Fault FieldSection::resolve(std::string_view text) {
  if (too_many_) return {Refusal::too_many_fields, "too many field lines"};
  if (folded_) return {Refusal::bad_request, kFolded};
  std::size_t cursor = 0;
  for (const Line& line : lines_) {
    const std::string_view reason = take_line(line, text, cursor);
    if (!reason.empty()) return {Refusal::bad_request, reason};
  }
  if (text.substr(cursor) == kLineEnd) return {};
  return {Refusal::bad_request, "a field section that does not end with CRLF"};
}

std::string_view FieldSection::take_line(const Line& line, std::string_view text,
                                         std::size_t& cursor) {
  if (line.name_size == 0) return "an empty field name";
  if (line.name_at != cursor) return kFolded;
  const std::string_view name = text.substr(cursor, line.name_size);
  cursor += line.name_size;
  if (cursor >= text.size() || text[cursor] != ':') return "a field name without its colon";
  ++cursor;
  while (cursor < text.size() && (text[cursor] == ' ' || text[cursor] == '\t')) ++cursor;
  // For an empty value llhttp tells no useful place.
  if (line.value_size > 0 && line.value_at != cursor) return kFolded;
  const std::string_view value = text.substr(cursor, line.value_size);
  cursor += line.value_size;
  const bool ends_line =
      cursor + 1 < text.size() && text[cursor] == '\r' && text[cursor + 1] == '\n';
  if (!ends_line) return "a field line without CRLF";
  cursor += kLineEnd.size();
  const FieldId id = field_id(name);
  fields_.push_back({name, trim(value), id});
  present_ |= FieldsView::bit(id);
  return {};
}

void FieldSection::release_memory() {
  if (lines_.capacity() <= kUsualFields && fields_.capacity() <= kUsualFields) return;
  *this = FieldSection(fields_max_);
}

}  // namespace revcache::http
