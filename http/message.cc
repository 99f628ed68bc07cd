#include "http/message.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "http/characters.h"

namespace revcache::http {
namespace {

constexpr std::array<std::string_view, kMethods> kMethodNames{
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH", "other"};

std::string joined(const FieldsView& fields, FieldId id, std::string_view name) {
  std::string text;
  bool first = true;
  for (const Field& field : fields) {
    const bool matches =
        field.id == id && (id != FieldId::other || equals_ignoring_case(field.name, name));
    if (!matches) continue;
    if (!first) text += ", ";
    first = false;
    text += field.value;
  }
  return text;
}

}  // namespace

std::string_view to_string(Method method) noexcept {
  return kMethodNames[static_cast<std::size_t>(method)];
}

Method method_from(std::string_view token) noexcept {
  constexpr std::size_t kNamed = kMethods - 1;
  for (std::size_t i = 0; i < kNamed; ++i) {
    if (token == kMethodNames[i]) return static_cast<Method>(i);
  }
  return Method::other;
}

bool is_safe(Method method) noexcept {
  return method == Method::get || method == Method::head || method == Method::options ||
         method == Method::trace;
}

bool is_idempotent(Method method) noexcept {
  return is_safe(method) || method == Method::put || method == Method::delete_;
}

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (to_lower(left[i]) != to_lower(right[i])) return false;
  }
  return true;
}

std::optional<std::string_view> FieldsView::find(FieldId id) const noexcept {
  if (!has(id)) return std::nullopt;
  for (const Field& field : fields_) {
    if (field.id == id) return field.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> FieldsView::find(std::string_view name) const noexcept {
  const FieldId id = field_id(name);
  if (id != FieldId::other) return find(id);
  for (const Field& field : fields_) {
    if (field.id == FieldId::other && equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t FieldsView::count(FieldId id) const noexcept {
  if (!has(id)) return 0;
  const auto lines = std::ranges::count(fields_, id, &Field::id);
  return static_cast<std::size_t>(lines);
}

std::optional<std::string> FieldsView::combined(FieldId id) const {
  if (!has(id)) return std::nullopt;
  return joined(*this, id, field_name(id));
}

std::optional<std::string> FieldsView::combined(std::string_view name) const {
  if (!find(name)) return std::nullopt;
  return joined(*this, field_id(name), name);
}

Fields::Fields(const FieldsView& from) : present_(from.present()) {
  std::size_t bytes = 0;
  for (const Field& field : from) bytes += field.name.size() + field.value.size();
  if (from.empty()) return;
  fields_.reserve(from.size());
  // One allocation for all text, rather than two a line.
  auto text = std::make_unique_for_overwrite<char[]>(bytes);
  char* next = text.get();
  const auto keep_here = [&next](std::string_view piece) {
    if (!piece.empty()) std::memcpy(next, piece.data(), piece.size());
    return std::string_view(std::exchange(next, next + piece.size()), piece.size());
  };
  for (const Field& field : from) {
    const std::string_view name = keep_here(field.name);
    fields_.push_back({name, keep_here(field.value), field.id});
  }
  text_.push_back(std::move(text));
}

Fields::Fields(const Fields& other) : Fields(other.view()) {}

Fields& Fields::operator=(const Fields& other) {
  if (this != &other) *this = Fields(other.view());
  return *this;
}

void Fields::add(std::string_view name, std::string_view value) {
  const FieldId id = field_id(name);
  const std::string_view kept_name = keep(name);
  fields_.push_back({kept_name, keep(value), id});
  present_ |= FieldsView::bit(id);
}

void Fields::add(FieldId id, std::string_view value) {
  fields_.push_back({field_name(id), keep(value), id});
  present_ |= FieldsView::bit(id);
}

void Fields::set(FieldId id, std::string_view value) {
  // The value may be a view of the line that is replaced: its text stays until clear().
  remove(id);
  add(id, value);
}

void Fields::remove(FieldId id) {
  if (!has(id)) return;
  std::erase_if(fields_, [id](const Field& field) { return field.id == id; });
  recount();
}

void Fields::remove(std::string_view name) {
  const FieldId id = field_id(name);
  if (id != FieldId::other) {
    remove(id);
    return;
  }
  std::erase_if(fields_, [name](const Field& field) {
    return field.id == FieldId::other && equals_ignoring_case(field.name, name);
  });
  recount();
}

void Fields::clear() {
  fields_.clear();
  text_.clear();
  present_ = 0;
}

std::size_t Fields::text_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const Field& field : fields_) bytes += field.name.size() + field.value.size();
  return bytes;
}

std::string_view Fields::keep(std::string_view text) {
  if (text.empty()) return {};
  text_.push_back(std::make_unique_for_overwrite<char[]>(text.size()));
  std::memcpy(text_.back().get(), text.data(), text.size());
  return {text_.back().get(), text.size()};
}

void Fields::recount() {
  present_ = 0;
  for (const Field& field : fields_) present_ |= FieldsView::bit(field.id);
}

}  // namespace revcache::http
