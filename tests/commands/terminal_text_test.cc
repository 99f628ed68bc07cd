#include "commands/terminal_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace revcache::commands {
namespace {

struct PrintableCase {
  std::string_view text;
  std::string_view shown;
};

TEST(Printable, ShowsWhatMustNotReachATerminal) {
  using namespace std::string_view_literals;
  for (const auto& [text, shown] : {
           PrintableCase{"plain text", "plain text"},
           PrintableCase{"Müller 東京 🔑", "Müller 東京 🔑"},
           PrintableCase{"\x1b[31mred"sv, "\\x1b[31mred"},
           PrintableCase{"two\nlines\r\t"sv, "two\\x0alines\\x0d\\x09"},
           PrintableCase{"\0\x7f"sv, "\\x00\\x7f"},
           PrintableCase{"\xc2\x9b"
                         "31m"sv,
                         "\\u{009b}31m"},  // CSI of C1
           PrintableCase{"\xe2\x80\xae"
                         "gnp.exe"sv,
                         "\\u{202e}gnp.exe"},  // right to left
           PrintableCase{"a\xe2\x80\x8b"
                         "b"sv,
                         "a\\u{200b}b"},                       // no width
           PrintableCase{"\xf3\xa0\x81\x81"sv, "\\u{e0041}"},  // tag
           PrintableCase{"\xff\xfe"sv, "\\xff\\xfe"},
           PrintableCase{"\xc0\xaf"sv, "\\xc0\\xaf"},           // not the shortest form
           PrintableCase{"\xed\xa0\x80"sv, "\\xed\\xa0\\x80"},  // a surrogate
           PrintableCase{"\xe6\x9d"sv, "\\xe6\\x9d"},           // cut off
       }) {
    EXPECT_EQ(printable(text), shown);
  }
}

TEST(Styled, IsPlainWithoutColours) {
  EXPECT_EQ(styled("good", Style::good, false), "good");
  EXPECT_EQ(styled("good", Style::good, true), "\033[1;32mgood\033[0m");
  EXPECT_EQ(styled("text", Style::plain, true), "text");
}

TEST(Wrapped, BreaksAtSpacesAndIndents) {
  EXPECT_EQ(wrapped("one two three four", 2, 10), "one two\n  three\n  four");
  EXPECT_EQ(wrapped("", 2, 10), "");
  EXPECT_EQ(wrapped("averylongwordthatfitsnowhere at all", 2, 10),
            "averylongwordthatfitsnowhere\n  at all");
}

}  // namespace
}  // namespace revcache::commands
