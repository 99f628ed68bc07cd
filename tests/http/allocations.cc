#include "tests/http/allocations.h"

#include <cstdlib>
#include <new>

namespace {
thread_local std::size_t count = 0;
}  // namespace

namespace revcache::http {
std::size_t allocations() noexcept { return count; }
}  // namespace revcache::http

// ThreadSanitizer's runtime has these itself, and they cannot be there twice: with it nothing is
// counted. The other builds count.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define REVCACHE_HAS_ITS_OWN_NEW 1
#endif
#endif

#ifndef REVCACHE_HAS_ITS_OWN_NEW
void* operator new(std::size_t size) {
  ++count;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif
