// CHECK: abort on a broken invariant of our own, in every build. A peer can never trip one.
#pragma once

namespace revcache {

// Prints the condition and its place to standard error, then aborts. Any thread.
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace revcache

#define CHECK(condition)                                        \
  do {                                                          \
    if (!(condition)) [[unlikely]]                              \
      ::revcache::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
