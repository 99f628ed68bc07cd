// Settings of the cache: [cache] in the configuration.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace revcache::cache {

struct Options {
  std::string directory = "/var/lib/revcache/cache";
  std::uint64_t memory_bytes = 256ULL << 20U;
  std::uint64_t disk_bytes = 8ULL << 30U;  // 0: no disk tier
  std::uint64_t object_bytes_max = 256ULL << 20U;

  // [limits]
  std::uint64_t streamed_body_bytes_min = 1ULL << 20U;  // kind other: longer bodies are not held
  std::chrono::milliseconds collapse_wait_max{9000};    // of a waiter for another's fetch
  std::uint32_t collapse_waiters_max = 10000;           // per key
};

}  // namespace revcache::cache
