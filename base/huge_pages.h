// Memory for what takes many MiB and is read at random: in huge pages, where the system leaves that
// to the program. A look-up then waits for memory once, and not again for the page tables.
#pragma once

#include <cstddef>

namespace revcache {

inline constexpr std::size_t kHugePageBytes = std::size_t{2} * 1024 * 1024;

// Asks for huge pages in all of the memory that can be such: at once where it was not yet written,
// else when the kernel (khugepaged) comes by, if it does. Advice only: where there are
// none, or for less than 2 MiB, nothing changes. Not for memory that a loop fills: clearing 2 MiB
// in one page fault keeps it busy. Never fails; any thread.
void prefer_huge_pages(const void* begin, std::size_t bytes) noexcept;

}  // namespace revcache
