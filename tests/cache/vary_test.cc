// RFC 9111 section 4.1: secondary keys.
#include "cache/vary.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cache/cache_key.h"
#include "tests/cache/messages.h"

namespace revcache::cache::testing {
namespace {

using Names = std::vector<std::string>;

struct NamesRow {
  std::string_view says;
  Lines response;
  Names names;
};

TEST(VaryNames, AreLowerCaseSortedAndUnique) {
  const std::vector<NamesRow> rows{
      {"no Vary", {{"Accept", "x"}}, {}},
      {"one", {{"Vary", "Accept-Encoding"}}, {"accept-encoding"}},
      {"a list", {{"Vary", "User-Agent, Accept"}}, {"accept", "user-agent"}},
      {"two lines", {{"Vary", "User-Agent"}, {"vary", "Accept"}}, {"accept", "user-agent"}},
      {"repeated", {{"Vary", "Accept, ACCEPT,accept"}}, {"accept"}},
      {"empty elements", {{"Vary", " , Accept ,,"}}, {"accept"}},
      {"empty", {{"Vary", ""}}, {}},
      {"everything", {{"Vary", "*"}}, {"*"}},
      {"everything among others", {{"Vary", "Accept, *"}}, {"*"}},
      {"everything on a second line", {{"Vary", "Accept"}, {"Vary", "*"}}, {"*"}},
  };
  for (const NamesRow& row : rows) {
    EXPECT_EQ(vary_names(fields_of(row.response).view()), row.names) << row.says;
  }
}

struct ValueRow {
  std::string_view says;
  Lines request;
  std::string value;  // of X
};

TEST(VaryValues, AreNormalisedButKeepWhatMayMatter) {
  const std::vector<ValueRow> rows{
      {"absent", {{"Y", "a"}}, std::string(kAbsentFieldValue)},
      {"empty is not absent", {{"X", ""}}, ""},
      {"one word", {{"X", "gzip"}}, "gzip"},
      {"any case of the name", {{"x", "gzip"}}, "gzip"},
      {"whitespace around commas", {{"X", "gzip ,  br\t,zstd"}}, "gzip,br,zstd"},
      {"lines are combined", {{"X", "gzip"}, {"X", "br"}}, "gzip,br"},
      {"order matters", {{"X", "br, gzip"}}, "br,gzip"},
      {"case of the value matters", {{"X", "GZIP"}}, "GZIP"},
      {"whitespace inside an element matters", {{"X", "a  b"}}, "a  b"},
      {"quoted commas stay", {{"X", "\"a , b\" , c"}}, "\"a , b\",c"},
      {"an unclosed quote stays", {{"X", "a , \"b , c"}}, "a,\"b , c"},
      {"empty elements stay", {{"X", "a, ,b,"}}, "a,,b,"},
  };
  for (const ValueRow& row : rows) {
    const auto values = vary_values({"x"}, fields_of(row.request).view());
    ASSERT_EQ(values.size(), 1U) << row.says;
    EXPECT_EQ(values[0].first, "x") << row.says;
    EXPECT_EQ(values[0].second, row.value) << row.says;
  }
}

TEST(VariantKey, IsTheSameForEquivalentRequestsOnly) {
  const Names names{"accept", "accept-encoding"};
  const auto key = [&](const Lines& request) {
    return variant_key("http://a.test/", vary_values(names, fields_of(request).view()));
  };
  const auto base = key({{"Accept", "a, b"}, {"Accept-Encoding", "gzip"}});
  EXPECT_EQ(base, key({{"Accept-Encoding", "gzip"}, {"Accept", "a,b"}})) << "order of lines";
  EXPECT_EQ(base, key({{"Accept", "a"}, {"Accept", "b"}, {"Accept-Encoding", "gzip"}}));
  EXPECT_EQ(base, key({{"Accept", "a, b"}, {"Accept-Encoding", "gzip"}, {"X", "y"}}));
  EXPECT_NE(base, key({{"Accept", "a"}, {"Accept-Encoding", "gzip"}}));
  EXPECT_NE(base, key({{"Accept", "a, b"}})) << "absent";
  EXPECT_NE(key({{"Accept", "a, b"}}), key({{"Accept", "a, b"}, {"Accept-Encoding", ""}}));
  EXPECT_NE(key({{"Accept", "x"}}), key({{"Accept-Encoding", "x"}}));
}

TEST(VariantKey, CannotBeConfusedByValuesThatLookLikeKeys) {
  const std::string primary = "http://a.test/";
  const auto one = variant_key(primary, {{"a", "b"}, {"c", "d"}});
  const std::string swallowed = one.substr(variant_key(primary, {{"a", ""}}).size());
  EXPECT_NE(one, variant_key(primary, {{"a", swallowed}}));
  EXPECT_NE(variant_key(primary, {}), primary);
  EXPECT_NE(variant_key(primary, {{"a", "b"}}), variant_key(primary + "a", {{"", "b"}}));
  std::string ocsp;
  make_ocsp_key(ocsp, "http://a.test", as_bytes("der"), {});
  EXPECT_NE(variant_key(ocsp, {}), ocsp);
  EXPECT_TRUE(variant_key(primary, {{"a", "b"}}).starts_with(primary + '\x02'));
}

TEST(VaryIndex, NamesTheFieldsToLookAtAndAccumulatesThem) {
  const auto first = make_vary_index("http://a.test/", {"accept"}, nullptr);
  EXPECT_TRUE(first->vary_index);
  EXPECT_EQ(first->key, "http://a.test/");
  EXPECT_EQ(indexed_names(*first), Names{"accept"});
  const auto second = make_vary_index("http://a.test/", {"accept-encoding"}, first.get());
  EXPECT_EQ(indexed_names(*second), (Names{"accept", "accept-encoding"}));
  const auto third = make_vary_index("http://a.test/", {"accept"}, second.get());
  EXPECT_EQ(indexed_names(*third), indexed_names(*second));
}

TEST(VaryIndex, IsBoundedAgainstAnOriginThatInventsNames) {
  StoredResponsePtr index;
  for (int i = 0; i < 200; ++i) {
    index = make_vary_index("http://a.test/", {"x-" + std::to_string(i)}, index.get());
    EXPECT_LE(indexed_names(*index).size(), kVaryNamesMax);
  }
  const auto names = indexed_names(*index);
  EXPECT_NE(std::ranges::find(names, "x-199"), names.end()) << "the last response can be found";
}

TEST(VaryIndex, SurvivesItsEncoding) {
  const auto index = make_vary_index("http://a.test/", {"accept", "cookie"}, nullptr);
  const auto decoded = decode_head(encode_head(*index));
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->vary_index);
  EXPECT_EQ(indexed_names(*decoded), indexed_names(*index));
  auto again = *decoded;
  EXPECT_TRUE(finish(std::move(again))->rendered_head.empty()) << "an index is no answer";
}

}  // namespace
}  // namespace revcache::cache::testing
