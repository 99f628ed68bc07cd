// RFC 9111 section 5.2, RFC 5861, RFC 8246, RFC 9213.
#include "http/cache_control.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace revcache::http {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

Fields fields_of(const Lines& lines) {
  Fields fields;
  for (const auto& [name, value] : lines) fields.add(name, value);
  return fields;
}

void add(std::string& text, bool present, std::string_view name) {
  if (present) text.append(text.empty() ? "" : " ").append(name);
}

void add(std::string& text, std::optional<Seconds> value, std::string_view name) {
  if (!value) return;
  add(text, true, name);
  text += "=" + std::to_string(value->count());
}

void add(std::string& text, const std::vector<std::string>& names, std::string_view directive) {
  if (names.empty()) return;
  add(text, true, directive);
  text += "(";
  for (const std::string& name : names) text += (text.ends_with('(') ? "" : ",") + name;
  text += ")";
}

std::string text_of(const RequestDirectives& directives) {
  std::string text;
  add(text, directives.no_cache, "no-cache");
  add(text, directives.no_store, "no-store");
  add(text, directives.no_transform, "no-transform");
  add(text, directives.only_if_cached, "only-if-cached");
  add(text, directives.max_age, "max-age");
  add(text, directives.min_fresh, "min-fresh");
  add(text, directives.max_stale, "max-stale");
  add(text, directives.stale_if_error, "stale-if-error");
  return text;
}

std::string text_of(const ResponseDirectives& directives) {
  std::string text;
  add(text, directives.from_cdn_cache_control, "cdn");
  add(text, directives.no_cache, "no-cache");
  add(text, directives.no_store, "no-store");
  add(text, directives.private_, "private");
  add(text, directives.public_, "public");
  add(text, directives.must_revalidate, "must-revalidate");
  add(text, directives.proxy_revalidate, "proxy-revalidate");
  add(text, directives.must_understand, "must-understand");
  add(text, directives.no_transform, "no-transform");
  add(text, directives.immutable, "immutable");
  add(text, directives.max_age, "max-age");
  add(text, directives.s_maxage, "s-maxage");
  add(text, directives.stale_while_revalidate, "swr");
  add(text, directives.stale_if_error, "sie");
  add(text, directives.no_cache_fields, "no-cache");
  add(text, directives.private_fields, "private");
  add(text, directives.invalid_freshness, "invalid");
  return text;
}

struct Case {
  const char* name;
  Lines lines;
  const char* expected;
};

Case with(const char* name, const char* value, const char* expected) {
  return {name, {{"Cache-Control", value}}, expected};
}

const Case kRequests[] = {
    {"Nothing", {{"Host", "h"}}, ""},
    with("NoCache", "no-cache", "no-cache"),
    with("NoStore", "no-store", "no-store"),
    with("NoTransform", "no-transform", "no-transform"),
    with("OnlyIfCached", "only-if-cached", "only-if-cached"),
    with("MaxAge", "max-age=60", "max-age=60"),
    with("MaxAgeAsCryptoApiSendsIt", "max-age = 3600", "max-age=3600"),
    with("MaxAgeZero", "max-age=0", "max-age=0"),
    with("MinFresh", "min-fresh=5", "min-fresh=5"),
    with("MaxStaleWithValue", "max-stale=5", "max-stale=5"),
    with("MaxStaleWithoutValue", "max-stale", "max-stale=2147483648"),
    with("MaxStaleWithEmptyValue", "max-stale=", ""),
    with("StaleIfError", "stale-if-error=600", "stale-if-error=600"),
    with("NamesInAnyCase", "No-Cache, MAX-AGE=1", "no-cache max-age=1"),
    with("EmptyElements", ",, no-cache ,\t, no-store,", "no-cache no-store"),
    with("UnknownDirectives", "x, y=z, community=\"UCI, no-store\", no-cache", "no-cache"),
    with("QuotedNumber", "max-age=\"60\"", "max-age=60"),
    with("SmallestMaxAgeWins", "max-age=60, max-age=30, max-age=90", "max-age=30"),
    with("LargestMinFreshWins", "min-fresh=1, min-fresh=9, min-fresh=2", "min-fresh=9"),
    with("SmallestMaxStaleWins", "max-stale, max-stale=7", "max-stale=7"),
    with("MalformedMaxAgeAsksForNothing", "max-age=abc", ""),
    with("NegativeMaxAgeAsksForNothing", "max-age=-1", ""),
    with("OverflowIsCapped", "max-age=99999999999999999999999", "max-age=2147483648"),
    with("ElementsThatAreNoDirectives", "=5, a b, (x), no-cache", "no-cache"),
    {"SeveralLines",
     {{"Cache-Control", "no-store"}, {"cache-control", "max-age=1"}},
     "no-store max-age=1"},
    {"PragmaAlone", {{"Pragma", "no-cache"}}, "no-cache"},
    {"PragmaInAnyCaseAmongOthers", {{"Pragma", "x=y, No-Cache"}}, "no-cache"},
    {"PragmaOnASecondLine", {{"Pragma", "x"}, {"Pragma", "no-cache"}}, "no-cache"},
    {"PragmaOfSomethingElse", {{"Pragma", "nocache"}}, ""},
    {"PragmaBesideCacheControl",
     {{"Pragma", "no-cache"}, {"Cache-Control", "max-age=5"}},
     "max-age=5"},
    {"ForcedRefreshOfCryptoApi",
     {{"Cache-Control", "no-cache"}, {"Pragma", "no-cache"}},
     "no-cache"},
};

const Case kResponses[] = {
    {"Nothing", {{"Expires", "0"}}, ""},
    with("MaxAge", "max-age=3600", "max-age=3600"),
    with("SMaxage", "s-maxage=5, max-age=10", "max-age=10 s-maxage=5"),
    with("Everything",
         "public, must-revalidate, proxy-revalidate, must-understand, no-transform, immutable",
         "public must-revalidate proxy-revalidate must-understand no-transform immutable"),
    with("NoStore", "no-store", "no-store"),
    with("NoStoreWithAnArgument", "no-store=x", "no-store"),
    with("NoCache", "no-cache", "no-cache"),
    with("NoCacheForFields", "no-cache=\"Set-Cookie, X\"", "no-cache(Set-Cookie,X)"),
    with("NoCacheForOneFieldAsToken", "no-cache=Set-Cookie", "no-cache(Set-Cookie)"),
    with("NoCacheForNoFields", "no-cache=\"\"", "no-cache"),
    with("NoCacheForSomethingThatIsNoField", "no-cache=\"a b\"", "no-cache"),
    with("NoCacheBothWays", "no-cache=\"A\", no-cache", "no-cache no-cache(A)"),
    with("Private", "private", "private"),
    with("PrivateForFields", "private=\"Set-Cookie\"", "private(Set-Cookie)"),
    with("PrivateForNoFields", "private=", "private"),
    with("PrivateWithAnOpenQuote", "private=\"a, no-store", "no-store private"),
    with("AnOpenQuoteHidesNothing", "x=\"a, no-store, max-age=5", "no-store max-age=5"),
    with("StaleWhileRevalidate", "max-age=1, stale-while-revalidate=30", "max-age=1 swr=30"),
    with("StaleIfError", "max-age=1, stale-if-error=86400", "max-age=1 sie=86400"),
    with("MalformedStaleIfErrorIsIgnored", "max-age=1, stale-if-error=x", "max-age=1"),
    with("SpacesAroundEquals", "max-age = 60", "max-age=60"),
    with("QuotedNumber", "max-age=\"60\"", "max-age=60"),
    with("QuotedEscape", "max-age=\"6\\0\"", "invalid"),
    with("SingleQuotes", "max-age='60'", "invalid"),
    with("Decimal", "max-age=60.0", "invalid"),
    with("Letters", "max-age=60s", "invalid"),
    with("Negative", "max-age=-60", "invalid"),
    with("Plus", "max-age=+60", "invalid"),
    with("Hex", "max-age=0x10", "invalid"),
    with("WithoutValue", "max-age", "invalid"),
    with("EmptyValue", "max-age=", "invalid"),
    with("LeadingZeros", "max-age=0060", "max-age=60"),
    with("TheLargestNumber", "max-age=2147483648", "max-age=2147483648"),
    with("OneMore", "max-age=2147483649", "max-age=2147483648"),
    with("OverflowIsCapped", "max-age=18446744073709551617", "max-age=2147483648"),
    with("TheSameTwice", "max-age=60, max-age=60", "max-age=60"),
    with("DifferentTwice", "max-age=60, max-age=30", "max-age=30 invalid"),
    with("MalformedSMaxage", "s-maxage=x, max-age=60", "max-age=60 invalid"),
    {"DifferentOnTwoLines",
     {{"Cache-Control", "max-age=1"}, {"Cache-Control", "max-age=2"}},
     "max-age=1 invalid"},
    with("CommaInAQuotedString", "x=\"max-age=1, no-store\", max-age=60", "max-age=60"),
    with("QuoteEscapedInAQuotedString", "x=\"\\\", no-store\", max-age=60", "max-age=60"),
    with("OddWhitespace", " \t,max-age=60\t, \tpublic ", "public max-age=60"),
    with("PartsOfNamesAreNothing", "xmax-age=1, max-agex=2, no-storex, xprivate", ""),
    {"PragmaIsNothingInResponses", {{"Pragma", "no-cache"}}, ""},
    // RFC 9213.
    {"CdnWins",
     {{"Cache-Control", "no-store"}, {"CDN-Cache-Control", "max-age=600"}},
     "cdn max-age=600"},
    {"CdnOnTwoLines",
     {{"CDN-Cache-Control", "max-age=600"}, {"CDN-Cache-Control", "must-revalidate"}},
     "cdn must-revalidate max-age=600"},
    {"CdnWithParameters",
     {{"CDN-Cache-Control", "max-age=600;x=1;y, public;z=\"q\""}},
     "cdn public max-age=600"},
    {"CdnLastOfAKeyCounts", {{"CDN-Cache-Control", "max-age=1, max-age=2"}}, "cdn max-age=2"},
    {"CdnBooleans", {{"CDN-Cache-Control", "no-store=?0, public=?1"}}, "cdn public"},
    {"CdnNoCacheForFields",
     {{"CDN-Cache-Control", "no-cache=\"a, b\", max-age=1"}},
     "cdn max-age=1 no-cache(a,b)"},
    {"CdnUnknownKeysOfEveryType",
     {{"CDN-Cache-Control", "a=1.5, b=tok/en, c=:aGk=:, d=(1 \"x\" y;p=1), *e, max-age=7"}},
     "cdn max-age=7"},
    {"CdnMaxAgeZero",
     {{"Cache-Control", "max-age=9"}, {"CDN-Cache-Control", "max-age=0"}},
     "cdn max-age=0"},
    {"CdnEmptyCountsAsAbsent",
     {{"Cache-Control", "max-age=9"}, {"CDN-Cache-Control", ""}},
     "max-age=9"},
    {"CdnUpperCaseIsInvalid",
     {{"Cache-Control", "max-age=9"}, {"CDN-Cache-Control", "Max-Age=600"}},
     "max-age=9"},
    {"CdnSpaceAroundEqualsIsInvalid",
     {{"Cache-Control", "max-age=9"}, {"CDN-Cache-Control", "max-age = 600"}},
     "max-age=9"},
    {"CdnTrailingCommaIsInvalid",
     {{"Cache-Control", "max-age=9"}, {"CDN-Cache-Control", "max-age=600,"}},
     "max-age=9"},
    {"CdnGarbageIsInvalid",
     {{"Cache-Control", "max-age=9"}, {"CDN-Cache-Control", "max-age=600, &=%"}},
     "max-age=9"},
    {"CdnOpenStringIsInvalid",
     {{"Cache-Control", "max-age=9"}, {"CDN-Cache-Control", "max-age=600, x=\"a"}},
     "max-age=9"},
    {"CdnTooManyDigitsIsInvalid",
     {{"Cache-Control", "max-age=9"}, {"CDN-Cache-Control", "max-age=1234567890123456"}},
     "max-age=9"},
    {"CdnNumberAsStringIsNotConsumed",
     {{"Cache-Control", "max-age=9"}, {"CDN-Cache-Control", "max-age=\"600\""}},
     "cdn invalid"},
    {"CdnDecimalIsNotConsumed", {{"CDN-Cache-Control", "max-age=600.5"}}, "cdn invalid"},
    {"CdnNegativeIsNotConsumed", {{"CDN-Cache-Control", "max-age=-1"}}, "cdn invalid"},
};

class RequestDirective : public testing::TestWithParam<Case> {};
class ResponseDirective : public testing::TestWithParam<Case> {};

TEST_P(RequestDirective, IsRead) {
  const Fields fields = fields_of(GetParam().lines);
  EXPECT_EQ(text_of(parse_request_directives(fields.view())), GetParam().expected);
}

TEST_P(ResponseDirective, IsRead) {
  const Fields fields = fields_of(GetParam().lines);
  EXPECT_EQ(text_of(parse_response_directives(fields.view())), GetParam().expected);
}

std::string case_name(const testing::TestParamInfo<Case>& row) { return row.param.name; }

INSTANTIATE_TEST_SUITE_P(Table, RequestDirective, testing::ValuesIn(kRequests), case_name);
INSTANTIATE_TEST_SUITE_P(Table, ResponseDirective, testing::ValuesIn(kResponses), case_name);

}  // namespace
}  // namespace revcache::http
