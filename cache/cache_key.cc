#include "cache/cache_key.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <limits>

#include "base/check.h"

namespace revcache::cache {
namespace {

// No URI contains a control character, so no URI key begins with or contains this one.
constexpr char kOcspMark = '\x01';

void append_length(std::string& key, std::size_t length) {
  CHECK(length <= std::numeric_limits<std::uint32_t>::max());
  for (unsigned shift = 0; shift < 32; shift += 8) {
    key += static_cast<char>(static_cast<unsigned char>(length >> shift));
  }
}

constexpr std::size_t kLengthBytes = 4;

std::size_t length_in(std::string_view octets) noexcept {
  std::size_t length = 0;
  for (std::size_t at = kLengthBytes; at > 0; --at) {
    length = length << 8U | static_cast<unsigned char>(octets[at - 1]);
  }
  return length;
}

}  // namespace

std::uint64_t KeyHasher::operator()(std::string_view key) const noexcept {
  return XXH3_64bits_withSeed(key.data(), key.size(), seed_);
}

void make_ocsp_key(std::string& key, std::string_view origin, ByteView cert_id_der,
                   ByteView preferred_signature_algorithms_der) {
  key.clear();
  key += kOcspMark;
  key += origin;
  key += kOcspMark;
  // Both lengths come first: what follows may hold any octet, and no key is the beginning of
  // another one.
  append_length(key, cert_id_der.size());
  append_length(key, preferred_signature_algorithms_der.size());
  key += as_text(cert_id_der);
  key += as_text(preferred_signature_algorithms_der);
}

std::string_view origin_of(const http::Uri& uri) noexcept {
  return std::string_view(uri.text()).substr(0, uri.text().size() - uri.path().size());
}

std::string ocsp_key_prefix(std::string_view origin) {
  std::string prefix(1, kOcspMark);
  prefix += origin;
  if (!origin.empty()) prefix += kOcspMark;
  return prefix;
}

ByteView cert_id_in_ocsp_key(std::string_view key) noexcept {
  if (!key.starts_with(kOcspMark)) return {};
  const std::size_t origin_end = key.find(kOcspMark, 1);
  if (origin_end == std::string_view::npos) return {};
  key.remove_prefix(origin_end + 1);
  if (key.size() < 2 * kLengthBytes) return {};
  const std::size_t length = length_in(key);
  key.remove_prefix(2 * kLengthBytes);
  if (key.size() < length) return {};
  return as_bytes(key.substr(0, length));
}

}  // namespace revcache::cache
