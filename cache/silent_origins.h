// Origins that gave no answer when they were last asked: who demands an answer from one of them,
// and may have the stored copy instead, need not wait for the same silence again. Every now and
// then one request goes all the same, so that an end of it is noticed. Shared by all loops, bounded
// in entries, thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/error.h"
#include "base/guarded.h"

namespace revcache::cache {

struct Silence {
  Error error;                // what the last request ended with
  bool probe_is_due = false;  // by whoever is told so: the next one has to wait again
};

class SilentOrigins {
 public:
  static constexpr std::size_t kEntriesMax = 1024;
  // After the last failure. What is older says little, and the next request waits to find out.
  static constexpr std::chrono::seconds kRemembered{60};

  // `origin`: scheme and authority. A request to it ended without the head of a response. Only what
  // upstream is to blame for counts, and only silence: the time between two probes is that for
  // which such a failure is kept as a negative answer.
  void note_failure(std::string_view origin, const Error& error, MonotonicTime now);
  // It has said something, whatever that was.
  void note_answer(std::string_view origin);
  // nullopt: nothing is known against it.
  [[nodiscard]] std::optional<Silence> find(std::string_view origin, MonotonicTime now);

 private:
  struct Entry {
    Error error;
    MonotonicTime failed_at;
    MonotonicTime probe_at;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Entries = std::unordered_map<std::string, Entry, TextHash, std::equal_to<>>;

  Guarded<Entries> entries_;
  std::atomic<std::size_t> count_{0};  // 0, as nearly always: nobody takes the lock
};

}  // namespace revcache::cache
