// Whether clients asked for a CRL since the refresher last looked: one bit for each of 65,536
// marks. Two URLs that share a mark keep each other known; harmless.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace revcache::cache {

using AskedMark = std::uint16_t;

inline AskedMark asked_mark(std::string_view key) noexcept {
  return static_cast<AskedMark>(std::hash<std::string_view>{}(key));
}

// Any thread. Setting a mark that is set already reads a word and writes nothing, so that loops do
// not take the line from each other.
class AskedMarks {
 public:
  void set(AskedMark mark) noexcept {
    auto& word = words_[mark / 64U];
    const std::uint64_t bit = 1ULL << (mark % 64U);
    if ((word.load(std::memory_order_relaxed) & bit) == 0) {
      word.fetch_or(bit, std::memory_order_relaxed);
    }
  }
  // True if it was set; it no longer is.
  bool take(AskedMark mark) noexcept {
    const std::uint64_t bit = 1ULL << (mark % 64U);
    return (words_[mark / 64U].fetch_and(~bit, std::memory_order_relaxed) & bit) != 0;
  }

 private:
  std::array<std::atomic<std::uint64_t>, 1024> words_{};
};

}  // namespace revcache::cache
