#include "http/head_memo.h"

#include <gtest/gtest.h>

#include <string>

#include "http/parser.h"
#include "tests/http/allocations.h"

namespace revcache::http {
namespace {

const ParserLimits kLimits;

std::string get(std::string_view path, std::string_view fields = "") {
  std::string text = "GET ";
  text.append(path).append(" HTTP/1.1\r\nHost: pki.test\r\n").append(fields).append("\r\n");
  return text;
}

bool is_known(HeadMemo& memo, std::string_view text) { return memo.find(text) != nullptr; }

// Reads one request with a parser of its own; gives what became of it.
StepKind read(HeadMemo& memo, std::string_view text) {
  RequestParser parser(kLimits, &memo);
  return parser.feed(text).kind;
}

TEST(HeadMemo, KeepsAHeadThatComesTwice) {
  HeadMemo memo;
  const std::string text = get("/a.crl");
  EXPECT_EQ(read(memo, text), StepKind::head);
  EXPECT_FALSE(is_known(memo, text)) << "most heads never come again";
  EXPECT_EQ(read(memo, text), StepKind::head);
  EXPECT_TRUE(is_known(memo, text));
}

TEST(HeadMemo, AKnownHeadIsGivenAsIfItHadBeenRead) {
  HeadMemo memo;
  std::string text = get("/a.crl", "If-None-Match: \"1\"\r\n");
  read(memo, text);
  read(memo, text);
  RequestParser parser(kLimits, &memo);
  const Step step = parser.feed(text + get("/b.crl"));
  ASSERT_EQ(step.kind, StepKind::head);
  EXPECT_EQ(step.consumed, text.size()) << "what follows is the next request";
  text.assign(text.size(), '#');  // nothing points there
  const RequestHead& head = parser.head();
  EXPECT_EQ(head.method, Method::get);
  EXPECT_EQ(head.method_text, "GET");
  EXPECT_EQ(head.target, "/a.crl");
  EXPECT_EQ(head.fields.size(), 2U);
  EXPECT_EQ(head.fields.find(FieldId::host), "pki.test");
  EXPECT_EQ(head.fields.find(FieldId::if_none_match), "\"1\"");
  EXPECT_TRUE(head.keep_alive);
}

TEST(HeadMemo, AKnownHeadStaysWhileItIsUsed) {
  HeadMemo memo;
  const std::string text = get("/a.crl");
  read(memo, text);
  read(memo, text);
  RequestParser parser(kLimits, &memo);
  ASSERT_EQ(parser.feed(text).kind, StepKind::head);
  for (int other = 0; other < 1000; ++other) {
    const auto pushing_out = get("/" + std::to_string(other));
    read(memo, pushing_out);
    read(memo, pushing_out);
  }
  EXPECT_FALSE(is_known(memo, text));
  EXPECT_EQ(parser.head().target, "/a.crl");
}

TEST(HeadMemo, ABodyComesBehindAKnownHead) {
  HeadMemo memo;
  const std::string head = "POST /ocsp HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";
  read(memo, head + "abc");
  read(memo, head + "def");
  ASSERT_TRUE(is_known(memo, head));
  RequestParser parser(kLimits, &memo);
  const std::string text = head + "xyz";
  std::string_view rest = text;
  Step step = parser.feed(rest);
  ASSERT_EQ(step.kind, StepKind::head);
  EXPECT_EQ(parser.head().content_length, 3U);
  rest.remove_prefix(step.consumed);
  step = parser.feed(rest);
  ASSERT_EQ(step.kind, StepKind::body);
  EXPECT_EQ(step.body, "xyz");
}

TEST(HeadMemo, NothingElseIsTakenForAKnownHead) {
  HeadMemo memo;
  const std::string text = get("/a.crl");
  read(memo, text);
  read(memo, text);
  ASSERT_TRUE(is_known(memo, text));
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(is_known(memo, text.substr(0, size))) << size;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string other = text;
    other[at] = static_cast<char>(other[at] ^ 1);
    EXPECT_FALSE(is_known(memo, other)) << at;
  }
  EXPECT_FALSE(is_known(memo, get("/a.crl", "Transfer-Encoding: chunked\r\n")));
}

TEST(HeadMemo, ClientsWithOtherFieldsAreKnownSideBySide) {
  HeadMemo memo;
  const std::string one = get("/a.crl");
  const std::string other = get("/a.crl", "Accept: */*\r\n");
  for (const auto& text : {one, one, other, other}) read(memo, text);
  EXPECT_TRUE(is_known(memo, one));
  EXPECT_TRUE(is_known(memo, other));
}

TEST(HeadMemo, WhatIsNotKept) {
  const std::string rows[] = {
      get("/a", "Authorization: Basic eDp5\r\n"),
      get("/a", "Proxy-Authorization: Basic eDp5\r\n"),
      get("/a", "cookie: a=b\r\n"),
      get("/" + std::string(HeadMemo::kHeadBytesMax, 'x')),
      "CONNECT pki.test:443 HTTP/1.1\r\nHost: pki.test:443\r\n\r\n",
  };
  for (const auto& text : rows) {
    HeadMemo memo;
    for (int times = 0; times < 3; ++times) {
      EXPECT_EQ(read(memo, text), StepKind::head) << text;
      EXPECT_FALSE(is_known(memo, text)) << text;
    }
  }
}

TEST(HeadMemo, AKnownHeadAllocatesNothing) {
  HeadMemo memo;
  const std::string text = get("/a.crl");
  RequestParser parser(kLimits, &memo);
  for (int times = 0; times < 3; ++times) ASSERT_EQ(parser.feed(text).kind, StepKind::head);
  const std::size_t before = allocations();
  for (int times = 0; times < 10; ++times) ASSERT_EQ(parser.feed(text).kind, StepKind::head);
  EXPECT_EQ(allocations(), before);
}

}  // namespace
}  // namespace revcache::http
