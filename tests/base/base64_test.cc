#include "base/base64.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace revcache {
namespace {

TEST(Base64, IsThatOfTheRfc) {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"},
                                                                 {"\xfb\xff\xbf", "+/+/"},
                                                                 {std::string(3, '\0'), "AAAA"}};
  for (const auto& [octets, text] : vectors) {
    EXPECT_EQ(base64(as_bytes(octets)), text);
    EXPECT_EQ(from_base64(text), octets) << text;
  }
}

TEST(Base64, InAPathHasNothingThatAPathReadsOtherwise) {
  EXPECT_EQ(base64_in_path(as_bytes("\xfb\xff\xbf\xfb")), "%2B%2F%2B%2F%2Bw%3D%3D");
  EXPECT_EQ(base64_in_path(as_bytes("foo")), "Zm9v");
  EXPECT_EQ(base64_in_path({}), "");
}

TEST(Base64, EveryOctetSurvives) {
  std::string all;
  for (int i = 0; i < 256; ++i) {
    all += static_cast<char>(static_cast<unsigned char>(i));
    EXPECT_EQ(from_base64(base64(as_bytes(all))), all);
  }
}

TEST(Base64, WhatIsWrittenOtherwiseIsRefused) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zh==", "Zm9=", "Zm9v\n",
                           "Zm 9", "Zg==Zg==", "-_-_", "Zm9v="}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace revcache
