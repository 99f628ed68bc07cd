// Whatever a certificate, a CRL or a client says: an answer is JSON of printable ASCII.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

#include "admin/api.h"
#include "admin/api_json.h"

namespace revcache::admin {
namespace {

const std::string kOctets =
    "a\x1b[2J\x9b\r\n\"\\\x7f\xc2\x9b\xe2\x80\xae\xff" + std::string(1, '\0');

void expect_clean(const std::string& body) {
  ASSERT_FALSE(body.empty());
  EXPECT_EQ(body.find('\n'), body.size() - 1);
  for (const char c : body.substr(0, body.size() - 1)) {
    EXPECT_TRUE(c >= 0x20 && c < 0x7f) << body;
  }
  const auto parsed = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  EXPECT_FALSE(parsed.is_discarded()) << body;
}

TEST(HostileText, LeavesAnAnswerPrintable) {
  expect_clean(json_answer(Json{{"subject", kOctets}, {"list", {kOctets, kOctets}}}).body);
}

TEST(HostileText, LeavesAProblemPrintable) { expect_clean(api_error(400, kOctets).body); }

}  // namespace
}  // namespace revcache::admin
