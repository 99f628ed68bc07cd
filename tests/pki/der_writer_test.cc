#include "pki/der_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "pki/signature.h"

namespace revcache::pki {
namespace {

using namespace std::string_view_literals;

class LengthsInDer : public testing::TestWithParam<std::size_t> {};

// What is written is read again by the strict reader, for every form that a length has.
TEST_P(LengthsInDer, AreInTheirShortestForm) {
  const std::string content(GetParam(), 'x');
  DerWriter writer;
  writer.constructed(kSequenceTag, [&] {
    writer.primitive(kOctetStringTag, as_bytes(content));
    writer.octet_string_of([&] { writer.raw(as_bytes(content)); });
  });
  const std::string written = std::move(writer).take();
  DerReader reader(as_bytes(written));
  const auto whole = reader.read(kSequenceTag, "a SEQUENCE");
  ASSERT_TRUE(whole && reader.at_end()) << reader.fault();
  DerReader inner(whole->content);
  for (int i = 0; i < 2; ++i) {
    const auto element = inner.read(kOctetStringTag, "an OCTET STRING");
    ASSERT_TRUE(element) << inner.fault();
    EXPECT_EQ(as_text(element->content), content);
  }
  EXPECT_TRUE(inner.at_end());
}

INSTANTIATE_TEST_SUITE_P(Lengths, LengthsInDer,
                         testing::Values(0, 1, 119, 120, 127, 128, 255, 256, 65535, 65536));

struct NumberCase {
  std::string_view octets;
  std::string_view encoded;
};

class UnsignedNumbers : public testing::TestWithParam<NumberCase> {};

TEST_P(UnsignedNumbers, AreMinimalAndNeverNegative) {
  DerWriter writer;
  writer.unsigned_integer(as_bytes(GetParam().octets));
  EXPECT_EQ(hex(writer.bytes()), hex(as_bytes(GetParam().encoded)));
}

INSTANTIATE_TEST_SUITE_P(Numbers, UnsignedNumbers,
                         testing::Values(NumberCase{"\x00"sv, "\x02\x01\x00"sv},
                                         NumberCase{"\x7f"sv, "\x02\x01\x7f"sv},
                                         NumberCase{"\x80"sv, "\x02\x02\x00\x80"sv},
                                         NumberCase{"\x00\x00\x01"sv, "\x02\x01\x01"sv},
                                         NumberCase{"\x00\xff\x00"sv, "\x02\x03\x00\xff\x00"sv}));

TEST(DerWriter, WritesBooleansNullAndBitStrings) {
  DerWriter writer;
  writer.boolean(true);
  writer.boolean(false);
  writer.null();
  writer.bit_string(as_bytes("\xab"sv));
  EXPECT_EQ(hex(writer.bytes()),
            "0101ff"
            "010100"
            "0500"
            "030200ab");
}

}  // namespace
}  // namespace revcache::pki
