#include "base/huge_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace revcache {
namespace {

// What /proc/self/smaps says of the mapping that `address` lies in: "hg" stands for the advice.
bool is_advised(std::uintptr_t address) {
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream words(line);
    if (words >> std::hex >> begin >> dash >> end && dash == '-') {
      inside = begin <= address && address < end;
    }
    if (inside && line.starts_with("VmFlags:")) return line.find(" hg") != std::string::npos;
  }
  return false;
}

struct Unmap {
  std::size_t bytes;
  void operator()(void* begin) const { munmap(begin, bytes); }
};

std::unique_ptr<void, Unmap> mapped(std::size_t bytes) {
  void* const begin =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return {begin == MAP_FAILED ? nullptr : begin, Unmap{bytes}};
}

TEST(HugePages, AreAskedForWhereAWholeOneFitsAndNowhereElse) {
  if (!std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled")) {
    GTEST_SKIP() << "a kernel without huge pages";
  }
  const auto memory = mapped(4 * kHugePageBytes);
  ASSERT_NE(memory, nullptr);
  const auto at = reinterpret_cast<std::uintptr_t>(memory.get());
  const std::uintptr_t page = (at + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  // From the middle of one page to the middle of the third: the second alone is wholly ours.
  prefer_huge_pages(reinterpret_cast<void*>(page + kHugePageBytes / 2), 3 * kHugePageBytes / 2);
  EXPECT_FALSE(is_advised(page + kHugePageBytes / 2));
  EXPECT_TRUE(is_advised(page + kHugePageBytes));
  EXPECT_FALSE(is_advised(page + 2 * kHugePageBytes));
}

TEST(HugePages, NeitherShortMemoryNorNoneIsTouched) {
  std::vector<char> small(kHugePageBytes / 2, 'x');
  prefer_huge_pages(small.data(), small.size());
  EXPECT_FALSE(is_advised(reinterpret_cast<std::uintptr_t>(small.data())));
  EXPECT_EQ(std::ranges::count(small, 'x'), static_cast<std::ptrdiff_t>(small.size()));
  prefer_huge_pages(nullptr, 0);
}

}  // namespace
}  // namespace revcache
