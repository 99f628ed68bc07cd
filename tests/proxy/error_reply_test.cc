#include "proxy/error_reply.h"

#include <gtest/gtest.h>

#include <string>

namespace revcache::proxy {
namespace {

struct Row {
  const char* name;
  std::string text;
  bool is_binary;
  std::string body;
};

class BodyOfAReply : public testing::TestWithParam<Row> {};

TEST_P(BodyOfAReply, IsAsLongAsItSays) {
  const Row& row = GetParam();
  TextReply reply;
  reply.text = row.text;
  reply.text_is_binary = row.is_binary;
  EXPECT_EQ(body_size(reply), row.body.size());
  const auto whole = render(reply, WallSeconds{}, "Connection: close\r\n", false);
  const auto head = render(reply, WallSeconds{}, "Connection: close\r\n", true);
  EXPECT_EQ(whole, head + row.body);
  EXPECT_NE(head.find("Content-Length: " + std::to_string(row.body.size()) + "\r\n"),
            std::string::npos);
  EXPECT_EQ(head.find("Content-Type:") != std::string::npos, !row.body.empty());
  EXPECT_TRUE(head.ends_with("Connection: close\r\n\r\n"));
}

const Row kRows[] = {
    {"TextEndsWithANewline", "not found", false, "not found\n"},
    {"BinaryAsItIs", "\x30\x03\x0a\x01\x03", true, "\x30\x03\x0a\x01\x03"},
    {"Nothing", "", false, ""},
};

INSTANTIATE_TEST_SUITE_P(Table, BodyOfAReply, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace revcache::proxy
