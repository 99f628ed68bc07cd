#include "base/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace revcache {

void prefer_huge_pages(const void* begin, std::size_t bytes) noexcept {
  if (bytes < kHugePageBytes) return;
  // Whole pages inside only: what shares a page with our ends is not ours.
  const auto at = reinterpret_cast<std::uintptr_t>(begin);
  const std::uintptr_t first = (at + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  const std::uintptr_t end = (at + bytes) / kHugePageBytes * kHugePageBytes;
  if (first >= end) return;
  // madvise() takes an address that may be written to; advice changes nothing there.
  madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
}

}  // namespace revcache
