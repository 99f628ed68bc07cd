#include "base/duration_text.h"

#include <gtest/gtest.h>

#include <utility>

namespace revcache {
namespace {

TEST(DurationText, SaysTheTwoLargestUnits) {
  const std::vector<std::pair<std::int64_t, std::string>> rows{
      {0, "0 s"},          {59, "59 s"},           {60, "1 min"},    {61, "1 min 1 s"},
      {599, "9 min 59 s"}, {601, "10 min"},        {3599, "59 min"}, {3600, "1 h"},
      {3661, "1 h 1 min"}, {86399, "23 h 59 min"}, {86400, "1 d"},   {7 * 86400 - 1, "6 d 23 h"},
      {-90, "1 min 30 s"}};
  for (const auto& [seconds, text] : rows) {
    EXPECT_EQ(duration_text(std::chrono::seconds(seconds)), text);
  }
}

}  // namespace
}  // namespace revcache
