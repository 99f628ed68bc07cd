#include "cache/cache_status.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/check.h"

namespace revcache::cache {
namespace {

constexpr std::string_view kName = "Cache-Status: revcache";
constexpr std::size_t kAgeBytesMax = 32;
// RFC 9111 1.2.2: what a delta-seconds is cut to.
constexpr std::chrono::seconds kAgeMax{2147483648};

constexpr std::string_view name_of(Forwarded forwarded) noexcept {
  constexpr std::array<std::string_view, 9> kNames{
      "", "bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial"};
  return kNames[static_cast<std::size_t>(forwarded)];
}

// sf-token, RFC 8941 3.3.4: ( ALPHA / "*" ) *( tchar / ":" / "/" )
constexpr bool is_sf_token(std::string_view text) noexcept {
  const auto is_alpha = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !(is_alpha(text.front()) || text.front() == '*')) return false;
  return std::ranges::all_of(text, [&](char c) {
    return is_alpha(c) || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~:/").find(c) != std::string_view::npos;
  });
}

// Appends to the caller's buffer, whose size the callers below have accounted for.
class Writer {
 public:
  explicit Writer(char* out) noexcept : begin_(out), next_(out) {}

  void text(std::string_view piece) noexcept {
    std::memcpy(next_, piece.data(), piece.size());
    next_ += piece.size();
  }

  void number(std::int64_t value) noexcept {
    constexpr std::size_t kDigitsMax = 20;
    next_ = std::to_chars(next_, next_ + kDigitsMax, value).ptr;
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(next_ - begin_);
  }

 private:
  char* begin_;
  char* next_;
};

// Everything but the detail at its longest: each number has at most 20 characters.
constexpr std::size_t kFixedBytesMax =
    kName.size() + std::string_view("; fwd=vary-miss; fwd-status=65535; ttl=").size() + 20 +
    std::string_view("; stored; collapsed; detail=\r\n").size();
constexpr std::size_t kDetailBytesMax = kCacheStatusBytesMax - kFixedBytesMax;
static_assert(kFixedBytesMax + 32 <= kCacheStatusBytesMax);

}  // namespace

std::size_t render_cache_status(const CacheStatus& status, char* out) noexcept {
  Writer writer(out);
  writer.text(kName);
  // RFC 9211 2.2: a request that was answered by the cache did not go forward.
  if (status.hit) {
    writer.text("; hit");
  } else if (status.forwarded != Forwarded::no) {
    writer.text("; fwd=");
    writer.text(name_of(status.forwarded));
    if (status.forward_status) {
      writer.text("; fwd-status=");
      writer.number(*status.forward_status);
    }
  }
  if (status.ttl) {
    writer.text("; ttl=");
    writer.number(status.ttl->count());
  }
  if (status.stored) writer.text("; stored");
  if (status.collapsed) writer.text("; collapsed");
  if (!status.detail.empty()) {
    // Written in our own source, never taken from a message.
    CHECK(status.detail.size() <= kDetailBytesMax && is_sf_token(status.detail));
    writer.text("; detail=");
    writer.text(status.detail);
  }
  writer.text("\r\n");
  return writer.size();
}

std::size_t render_age(std::chrono::seconds age, char* out) noexcept {
  static_assert(std::string_view("Age: -9223372036854775808\r\n").size() <= kAgeBytesMax);
  Writer writer(out);
  writer.text("Age: ");
  writer.number(std::clamp(age, std::chrono::seconds{0}, kAgeMax).count());
  writer.text("\r\n");
  return writer.size();
}

}  // namespace revcache::cache
