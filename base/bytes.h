// Bytes that are looked at (ByteView) and bytes that are shared (SharedBytes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace revcache {

// Not owned: valid as long as whoever gave it says.
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Immutable bytes with shared ownership; copying one copies a pointer. Any thread may hold and read
// a copy. A slice keeps the whole allocation alive.
class SharedBytes {
 public:
  SharedBytes() = default;

  // Nothing is allocated for an empty text.
  static SharedBytes copy_of(std::string_view text) {
    return text.empty() ? inside(nullptr, "") : take(std::string(text));
  }

  static SharedBytes take(std::string&& text) {
    SharedBytes shared;
    auto owner = std::make_shared<const std::string>(std::move(text));
    shared.view_ = *owner;
    shared.owner_ = std::move(owner);
    return shared;
  }

  // Bytes inside an allocation that `owner` keeps alive.
  static SharedBytes inside(std::shared_ptr<const void> owner, std::string_view view) {
    SharedBytes shared;
    shared.owner_ = std::move(owner);
    shared.view_ = view;
    return shared;
  }

  [[nodiscard]] std::string_view text() const noexcept { return view_; }
  [[nodiscard]] ByteView bytes() const noexcept { return as_bytes(view_); }
  [[nodiscard]] std::size_t size() const noexcept { return view_.size(); }
  [[nodiscard]] bool empty() const noexcept { return view_.empty(); }

  // `offset` <= size(); a length past the end is cut.
  [[nodiscard]] SharedBytes slice(std::size_t offset, std::size_t length) const {
    return inside(owner_, view_.substr(offset, length));
  }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace revcache
