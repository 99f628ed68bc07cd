// decode_head on any bytes: never crashes, and what it accepts has exactly one encoding. The
// checksum is put right first, or nearly nothing would get past it.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/check.h"
#include "cache/freshness.h"
#include "cache/stored_response.h"

namespace {

constexpr std::size_t kChecksumBytes = 8;

std::string with_checksum(std::string bytes) {
  if (bytes.size() < kChecksumBytes) return bytes;
  bytes.resize(bytes.size() - kChecksumBytes);
  const std::uint64_t sum = XXH3_64bits(bytes.data(), bytes.size());
  for (std::size_t i = 0; i < kChecksumBytes; ++i) {
    bytes += static_cast<char>(static_cast<unsigned char>(sum >> (8 * i)));
  }
  return bytes;
}

void check(const std::string& bytes) {
  auto decoded = revcache::cache::decode_head(bytes);
  if (!decoded) {
    CHECK(decoded.error().code == revcache::ErrorCode::corrupt);
    return;
  }
  CHECK(revcache::cache::encode_head(*decoded) == bytes);
  // What is accepted can be finished, rendered and judged at any time.
  const auto now = decoded->freshness.request_time;
  const auto entry = revcache::cache::finish(std::move(*decoded));
  const auto decision = revcache::cache::decide(*entry, {}, now);
  CHECK(decision.age.count() >= 0);
  const auto again = revcache::cache::decode_head(revcache::cache::encode_head(*entry));
  CHECK(again.has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  check(bytes);
  check(with_checksum(bytes));
  return 0;
}
