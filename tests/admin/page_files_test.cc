#include "admin/page_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "admin/pages.h"
#include "http/parser.h"

namespace revcache::admin {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

constexpr WallTime kNow{};

std::optional<Answer> asked(std::string_view path, std::string_view fields = {}) {
  const std::string bytes = "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" +
                            std::string(fields) + "\r\n";
  const http::ParserLimits limits;
  http::RequestParser parser(limits);
  std::string_view rest = bytes;
  EXPECT_EQ(parser.feed(rest).kind, http::StepKind::head);
  return decide(parser.head(), {}).file;
}

std::string field(const Answer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.fields) {
    if (key == name) return std::string(value);
  }
  return {};
}

TEST(PageFiles, AreGivenOutByNameWithTheirTypes) {
  const auto page = asked("/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page->body, StartsWith("<!doctype html>"));
  EXPECT_EQ(asked("/page/index.html")->body, page->body);
  EXPECT_EQ(asked("/page/style.css")->content_type, "text/css; charset=utf-8");
  EXPECT_EQ(asked("/page/main.js")->content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(asked("/page/icon.svg")->content_type, "image/svg+xml");
  EXPECT_EQ(asked("/?a=b")->body, page->body);
  for (const char* path : {"/page/", "/page/nothing.js", "/page/../main.js", "/page//main.js"}) {
    EXPECT_FALSE(asked(path)) << path;
  }
}

TEST(PageFiles, LetABrowserRunNothingButWhatComesFromHere) {
  for (const EmbeddedFile& file : embedded_files()) {
    const auto answer = asked("/page/" + std::string(file.name));
    ASSERT_TRUE(answer) << file.name;
    const std::string policy = field(*answer, "Content-Security-Policy");
    EXPECT_THAT(policy, StartsWith("default-src 'none'; script-src 'self'; style-src 'self';"));
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
    EXPECT_EQ(field(*answer, "Referrer-Policy"), "no-referrer");
    const std::string bytes = render(*answer, {}, kNow);
    EXPECT_THAT(bytes, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"));
    EXPECT_THAT(bytes, HasSubstr("\r\nCache-Control: no-cache\r\n"));
  }
}

// What the policy forbids would fail only in a browser; what leaves the origin, only off line.
TEST(PageFiles, HoldNeitherInlineScriptOrStyleNorAnAddressElsewhere) {
  for (const EmbeddedFile& file : embedded_files()) {
    const std::string text(file.text);
    EXPECT_THAT(text, Not(HasSubstr("innerHTML"))) << file.name;
    EXPECT_THAT(text, Not(HasSubstr(" style=\""))) << file.name;
    EXPECT_THAT(text, Not(HasSubstr(" onclick="))) << file.name;
    EXPECT_THAT(text, Not(HasSubstr("<style"))) << file.name;
    EXPECT_THAT(text, Not(HasSubstr("https://"))) << file.name;
    EXPECT_LE(std::ranges::count(text, '\n'), 400) << file.name;
  }
}

TEST(PageFiles, HaveEachAStrongTagOfTheirOwn) {
  std::set<std::string> tags;
  for (const EmbeddedFile& file : embedded_files()) {
    EXPECT_THAT(std::string(file.etag), MatchesRegex("\"[0-9a-f]{64}\"")) << file.name;
    EXPECT_TRUE(tags.emplace(file.etag).second) << file.name;
  }
  EXPECT_GE(tags.size(), 4U);
}

struct Condition {
  std::string_view name;
  std::string_view fields;  // @ stands for the tag
  int status;
};

class PageCondition : public testing::TestWithParam<Condition> {};

TEST_P(PageCondition, IsDecided) {
  const std::string tag = field(*asked("/"), "ETag");
  std::string fields;
  for (const char c : GetParam().fields) fields += c == '@' ? tag : std::string(1, c);
  const auto answer = asked("/", fields);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, GetParam().status);
  EXPECT_EQ(field(*answer, "ETag"), tag);
  EXPECT_EQ(answer->body.empty(), GetParam().status == 304);
}

constexpr Condition kConditions[] = {
    {"None", "", 200},
    {"Same", "If-None-Match: @\r\n", 304},
    {"WeaklySame", "If-None-Match: W/@\r\n", 304},
    {"OneOfAList", "If-None-Match: \"a\" ,\t@, \"b\"\r\n", 304},
    {"InASecondLine", "If-None-Match: \"a\"\r\nIf-None-Match: @\r\n", 304},
    {"Any", "If-None-Match: *\r\n", 304},
    {"Another", "If-None-Match: \"a\"\r\n", 200},
    {"Empty", "If-None-Match:\r\n", 200},
    {"OnlyCommas", "If-None-Match: ,,\r\n", 200},
    {"WithinAnother", "If-None-Match: x@\r\n", 200},
};

INSTANTIATE_TEST_SUITE_P(Table, PageCondition, testing::ValuesIn(kConditions),
                         [](const testing::TestParamInfo<Condition>& one) {
                           return std::string(one.param.name);
                         });

TEST(PageFiles, ThatAreUnchangedComeWithoutLengthAndType) {
  const std::string tag = field(*asked("/"), "ETag");
  const std::string bytes = render(*asked("/", "If-None-Match: " + tag + "\r\n"), {}, kNow);
  EXPECT_THAT(bytes, StartsWith("HTTP/1.1 304 "));
  EXPECT_THAT(bytes, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(bytes, Not(HasSubstr("Content-Type:")));
  EXPECT_THAT(bytes, HasSubstr("ETag: " + tag));
}

}  // namespace
}  // namespace revcache::admin
