#include "admin/compression.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

namespace revcache::admin {
namespace {

constexpr Codings kIdentity{.gzip = false, .identity = true};
constexpr Codings kBoth{.gzip = true, .identity = true};
constexpr Codings kGzip{.gzip = true, .identity = false};
constexpr Codings kNeither{.gzip = false, .identity = false};

struct Row {
  std::vector<std::string> lines;
  Codings codings;
};

TEST(AcceptEncoding, IsReadAsRfc9110HasIt) {
  const std::vector<Row> rows{
      {{}, kIdentity},
      {{""}, kIdentity},
      {{"gzip"}, kBoth},
      {{"GZip"}, kBoth},
      {{"x-gzip"}, kBoth},
      {{"deflate, gzip;q=1.0, *;q=0.5"}, kBoth},
      {{"deflate, br"}, kIdentity},
      {{"br", "gzip"}, kBoth},
      {{"gzip;q=0"}, kIdentity},
      {{"gzip;q=0.000"}, kIdentity},
      {{"gzip;q=0.001"}, kBoth},
      {{"gzip ; q=0.5"}, kBoth},
      {{"gzip;q=0.5, identity"}, kIdentity},
      {{"gzip;q=0.5, identity;q=0.5"}, kBoth},
      {{"identity;q=0"}, kNeither},
      {{"gzip, identity;q=0"}, kGzip},
      {{"*"}, kBoth},
      {{"*;q=0"}, kNeither},
      {{"gzip, *;q=0"}, kGzip},
      {{"identity, *;q=0"}, kIdentity},
      {{"gzip;q=0, *"}, kIdentity},
      // What cannot be read asks for nothing.
      {{"gzip;q=2"}, kIdentity},
      {{"gzip;q=1.001"}, kIdentity},
      {{"gzip;q=0.1234"}, kIdentity},
      {{"gzip;q="}, kIdentity},
      {{"gzip;level=9"}, kIdentity},
      {{",,;,gzip"}, kBoth},
  };
  for (const Row& row : rows) {
    http::Fields fields;
    for (const std::string& line : row.lines) fields.add(http::FieldId::accept_encoding, line);
    EXPECT_EQ(accepted_codings(fields.view()), row.codings)
        << (row.lines.empty() ? "no field" : row.lines.back());
  }
}

std::string unzipped(const std::string& packed, std::size_t bytes) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  std::string out(bytes + 1, '\0');
  std::string in = packed;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0U);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(Gzip, ComesBackAsItWasAndAlikeEachTime) {
  std::string random;
  for (std::uint32_t at = 0, state = 1; at < 100'000; ++at) {
    state = state * 1664525U + 1013904223U;
    random += static_cast<char>(state >> 24U);
  }
  for (const std::string& text :
       {std::string(), std::string("x"), std::string(1'000'000, 'a'), random}) {
    const std::string packed = gzip(text);
    EXPECT_EQ(unzipped(packed, text.size()), text);
    EXPECT_EQ(gzip(text), packed);
  }
  EXPECT_LT(gzip(std::string(1'000'000, 'a')).size(), 2000U);
}

}  // namespace
}  // namespace revcache::admin
