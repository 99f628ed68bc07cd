// The files of tests/testdata, which are named by verdict.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace revcache::pki {

// "certificate/good_root.der"
inline std::string test_file(const std::string& name) {
  std::ifstream file(std::string(REVCACHE_TESTDATA "/") + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return std::move(bytes).str();
}

// Names, "certificate/good_root.der", of those in `folder` that begin and end so. Sorted.
inline std::vector<std::string> test_files(const std::string& folder, std::string_view prefix,
                                           std::string_view suffix = "") {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(REVCACHE_TESTDATA "/" + folder)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(prefix) && name.ends_with(suffix)) found.push_back(folder + "/" + name);
  }
  std::ranges::sort(found);
  return found;
}

// For INSTANTIATE_TEST_SUITE_P: "good_root_der".
inline std::string name_of_file(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param.substr(info.param.find('/') + 1);
  std::ranges::replace(name, '.', '_');
  return name;
}

}  // namespace revcache::pki
