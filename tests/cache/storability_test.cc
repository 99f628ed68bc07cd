// RFC 9111 section 3: what a shared cache may store, and what of its fields.
#include "cache/storability.h"

#include <gtest/gtest.h>

#include "tests/cache/messages.h"

namespace revcache::cache::testing {
namespace {

using http::Method;

struct Row {
  std::string_view says;
  std::string_view reason;  // of the refusal; empty: stored
  Lines response;
  std::uint16_t status = 200;
  Lines request = {};
  Method method = Method::get;
  bool ocsp = false;
};

StoreVerdict verdict_of(const Row& row) {
  const auto request = fields_of(row.request);
  const auto response = head_of(row.response, row.status);
  const auto fields = request.view();
  const auto directives = http::parse_request_directives(fields);
  return may_store({row.method, fields, directives, row.ocsp}, response,
                   http::parse_response_directives(response.fields.view()));
}

void expect_verdicts(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const auto verdict = verdict_of(row);
    EXPECT_EQ(verdict.reason, row.reason) << row.says;
    EXPECT_EQ(verdict.store, row.reason.empty()) << row.says;
    EXPECT_TRUE(verdict.permitted || !verdict.store) << row.says;
  }
}

const Lines kMaxAge{{"Cache-Control", "max-age=60"}};

TEST(MayStore, OnlyResponsesToGetAndOcspAnswersToPost) {
  expect_verdicts({
      {"GET", "", kMaxAge},
      {"HEAD", "method", kMaxAge, 200, {}, Method::head},
      {"POST", "method", kMaxAge, 200, {}, Method::post},
      {"PUT", "method", kMaxAge, 200, {}, Method::put},
      {"DELETE", "method", kMaxAge, 200, {}, Method::delete_},
      {"OPTIONS", "method", kMaxAge, 200, {}, Method::options},
      {"TRACE", "method", kMaxAge, 200, {}, Method::trace},
      {"an unknown method", "method", kMaxAge, 200, {}, Method::other},
      {"OCSP by POST", "", kMaxAge, 200, {}, Method::post, true},
      {"OCSP by GET", "", kMaxAge, 200, {}, Method::get, true},
      {"OCSP by POST without freshness: admission knows nextUpdate",
       "",
       {},
       200,
       {},
       Method::post,
       true},
      {"an error to an OCSP POST", "no explicit freshness", {}, 404, {}, Method::post, true},
      {"an error to an OCSP POST that says how long", "", kMaxAge, 404, {}, Method::post, true},
      {"OCSP by PUT does not exist", "method", kMaxAge, 200, {}, Method::put, true},
      {"no-store on an OCSP answer",
       "no-store",
       {{"Cache-Control", "no-store"}},
       200,
       {},
       Method::post,
       true},
  });
}

TEST(MayStore, FinalAndWholeResponsesOnly) {
  expect_verdicts({
      {"3: interim", "status 1xx", kMaxAge, 100},
      {"3: early hints", "status 1xx", kMaxAge, 103},
      {"3.3: partial", "status 206", kMaxAge, 206},
      {"3: 304 freshens, it is not stored", "status 304", kMaxAge, 304},
      {"RFC 9110 15.5.8: 407 is for one hop", "status 407", kMaxAge, 407},
      {"RFC 9110 15.5.17: 416 is about one range", "status 416", kMaxAge, 416},
      {"3: any final status with explicit freshness: 302", "", kMaxAge, 302},
      {"3: 500", "", kMaxAge, 500},
      {"3: an unregistered status", "", kMaxAge, 299},
      {"3: 302 with Expires", "", {{"Date", at(0)}, {"Expires", at(60)}}, 302},
      {"3: 302 with s-maxage", "", {{"Cache-Control", "s-maxage=60"}}, 302},
      {"3: 302 with public and a validator",
       "",
       {{"Cache-Control", "public"}, {"ETag", "\"a\""}},
       302},
      {"3: 302 without anything", "no explicit freshness", {{"ETag", "\"a\""}}, 302},
      {"3: 503 without anything", "no explicit freshness", {}, 503},
      {"3: CDN-Cache-Control is explicit", "", {{"CDN-Cache-Control", "max-age=9"}}, 302},
      {"RFC 9213 2.2: Expires does not count beside it",
       "no explicit freshness",
       {{"CDN-Cache-Control", "must-revalidate"}, {"Date", at(0)}, {"Expires", at(60)}},
       302},
  });
}

TEST(MayStore, HeuristicallyCacheableStatusesWithAValidator) {
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{
           200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501}) {
    const auto verdict = verdict_of({"", "", {{"Last-Modified", at(-100)}}, status});
    EXPECT_TRUE(verdict.store) << "RFC 9110 15.1: " << status;
  }
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{
           201, 202, 302, 303, 307, 400, 403, 429, 500, 502, 503, 504}) {
    const auto verdict = verdict_of({"", "", {{"Last-Modified", at(-100)}}, status});
    EXPECT_EQ(verdict.reason, "no explicit freshness") << "RFC 9110 15.1: " << status;
  }
  EXPECT_TRUE(is_heuristically_cacheable(206));
  EXPECT_FALSE(is_heuristically_cacheable(304));
}

TEST(MayStore, WhatNobodyForbids) {
  const Lines authorized{{"Authorization", "Basic dXNlcjpwYXNz"}};
  expect_verdicts({
      {"5.2.1.5: request no-store",
       "request no-store",
       kMaxAge,
       200,
       {{"Cache-Control", "no-store"}}},
      {"5.2.1.4: request no-cache stores the new answer",
       "",
       kMaxAge,
       200,
       {{"Cache-Control", "no-cache"}}},
      {"5.2.2.5: no-store", "no-store", {{"Cache-Control", "no-store"}}},
      {"5.2.2.5: no-store beside max-age", "no-store", {{"Cache-Control", "max-age=60, no-store"}}},
      {"5.2.2.5: on a second line",
       "no-store",
       {{"Cache-Control", "max-age=60"}, {"Cache-Control", "no-store"}}},
      {"5.2.2.7: private", "private", {{"Cache-Control", "private, max-age=60"}}},
      {"5.2.2.7: private beside public", "private", {{"Cache-Control", "public, private"}}},
      {"5.2.2.7: private for named fields",
       "",
       {{"Cache-Control", "private=\"X-User\", max-age=60"}}},
      {"5.2.2.4: no-cache with a validator",
       "",
       {{"Cache-Control", "no-cache"}, {"ETag", "\"a\""}}},
      {"RFC 9213 2.2: CDN-Cache-Control overrules private",
       "",
       {{"CDN-Cache-Control", "max-age=60"}, {"Cache-Control", "private"}}},
      {"RFC 9213 2.2: CDN-Cache-Control forbids what Cache-Control allows",
       "no-store",
       {{"CDN-Cache-Control", "no-store"}, {"Cache-Control", "max-age=60"}}},
      {"3.5: Authorization", "authorization", kMaxAge, 200, authorized},
      {"3.5: with public", "", {{"Cache-Control", "public, max-age=60"}}, 200, authorized},
      {"3.5: with s-maxage", "", {{"Cache-Control", "s-maxage=60"}}, 200, authorized},
      {"3.5: with must-revalidate",
       "",
       {{"Cache-Control", "max-age=60, must-revalidate"}},
       200,
       authorized},
      {"3.5: proxy-revalidate is not enough",
       "authorization",
       {{"Cache-Control", "max-age=60, proxy-revalidate"}},
       200,
       authorized},
      {"4.1: Vary: *", "vary *", {{"Cache-Control", "max-age=60"}, {"Vary", "*"}}},
      {"4.1: a * among names", "vary *", {{"Cache-Control", "max-age=60"}, {"Vary", "Accept, *"}}},
      {"4.1: a * on a second line",
       "vary *",
       {{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}, {"Vary", "*"}}},
      {"4.1: Vary with names", "", {{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}}},
      {"5.2.2.3: must-understand lifts no-store",
       "",
       {{"Cache-Control", "must-understand, no-store, max-age=60"}}},
      {"5.2.2.3: not for an unknown status",
       "must-understand",
       {{"Cache-Control", "must-understand, no-store, max-age=60"}},
       299},
      {"5.2.2.3: also without no-store",
       "must-understand",
       {{"Cache-Control", "must-understand, max-age=60"}},
       299},
      {"5.2.2.3: nor for 206",
       "status 206",
       {{"Cache-Control", "must-understand, no-store, max-age=60"}},
       206},
  });
}

TEST(MayStore, NotWhatCouldNeverBeUsedAgain) {
  const std::string_view useless = "no freshness and no validator";
  expect_verdicts({
      {"nothing at all", useless, {}},
      {"only a Date", useless, {{"Date", at(0)}}},
      {"max-age=0", useless, {{"Cache-Control", "max-age=0"}}},
      {"s-maxage=0 over max-age", useless, {{"Cache-Control", "s-maxage=0, max-age=60"}}},
      {"no-cache", useless, {{"Cache-Control", "no-cache, max-age=60"}}},
      {"Expires: 0", useless, {{"Date", at(0)}, {"Expires", "0"}}},
      {"Expires before Date", useless, {{"Date", at(0)}, {"Expires", at(-1)}}},
      {"malformed max-age", useless, {{"Cache-Control", "max-age=x"}}},
      {"max-age=0 with ETag", "", {{"Cache-Control", "max-age=0"}, {"ETag", "W/\"a\""}}},
      {"Expires: 0 with Last-Modified", "", {{"Expires", "0"}, {"Last-Modified", at(-9)}}},
      {"max-age=0 with stale-if-error", "", {{"Cache-Control", "max-age=0, stale-if-error=60"}}},
      {"max-age=0 with stale-while-revalidate",
       "",
       {{"Cache-Control", "max-age=0, stale-while-revalidate=60"}}},
      {"Expires ahead", "", {{"Date", at(0)}, {"Expires", at(1)}}},
      {"Expires ahead, without Date", "", {{"Expires", at(1)}}},
  });
  const auto verdict = verdict_of({"", "", {{"Cache-Control", "no-cache"}}});
  EXPECT_FALSE(verdict.store);
  EXPECT_TRUE(verdict.permitted) << "verified evidence may be kept for an outage";
  EXPECT_FALSE(verdict_of({"", "", {{"Cache-Control", "no-store"}}}).permitted);
}

TEST(MayStore, ResponsesWithCookiesOnlyWhenFreshnessIsExplicit) {
  expect_verdicts({
      {"7.3: explicit", "", {{"Set-Cookie", "a=b"}, {"Cache-Control", "max-age=60"}}},
      {"7.3: explicit, by Expires",
       "",
       {{"Set-Cookie", "a=b"}, {"Date", at(0)}, {"Expires", at(60)}}},
      {"7.3: by guess",
       "set-cookie without explicit freshness",
       {{"Set-Cookie", "a=b"}, {"Last-Modified", at(-100)}}},
  });
}

TEST(StorableFields, LeaveOutWhatIsForOneConnectionOrOneClient) {
  const auto response = fields_of({{"Date", at(0)},
                                   {"Connection", "close, X-Hop"},
                                   {"X-Hop", "1"},
                                   {"Keep-Alive", "timeout=5"},
                                   {"Proxy-Authenticate", "Basic"},
                                   {"Proxy-Authentication-Info", "x"},
                                   {"Transfer-Encoding", "chunked"},
                                   {"Trailer", "X"},
                                   {"Upgrade", "h2c"},
                                   {"Set-Cookie", "a=b"},
                                   {"set-cookie", "c=d"},
                                   {"Set-Cookie2", "e=f"},
                                   {"Age", "5"},
                                   {"ETag", "\"a\""},
                                   {"X-Custom", "kept"}});
  const Lines expected{{"Date", at(0)}, {"Age", "5"}, {"ETag", "\"a\""}, {"X-Custom", "kept"}};
  EXPECT_EQ(lines_of(storable_fields(response.view(), {}).view()), expected);
}

TEST(StorableFields, LeaveOutWhatQualifiedDirectivesName) {
  const auto response = fields_of(
      {{"Cache-Control", "max-age=60, private=\"X-User, x-account\", no-cache=\"X-Token\""},
       {"X-User", "42"},
       {"X-Account", "7"},
       {"x-token", "t"},
       {"Content-Type", "application/pkix-crl"}});
  const auto directives = http::parse_response_directives(response.view());
  const auto kept = storable_fields(response.view(), directives);
  EXPECT_FALSE(kept.find("X-User")) << "RFC 9111 5.2.2.7";
  EXPECT_FALSE(kept.find("X-Account")) << "RFC 9111 5.2.2.7";
  EXPECT_FALSE(kept.find("X-Token")) << "RFC 9111 5.2.2.4";
  EXPECT_EQ(kept.find("Content-Type"), "application/pkix-crl");
  EXPECT_TRUE(kept.has(http::FieldId::cache_control));
}

TEST(Invalidates, IsTrueForUnsafeMethodsThatDidNotFail) {
  for (const Method method :
       {Method::post, Method::put, Method::delete_, Method::patch, Method::other}) {
    EXPECT_TRUE(invalidates(method, 200)) << http::to_string(method);
    EXPECT_TRUE(invalidates(method, 204)) << http::to_string(method);
    EXPECT_TRUE(invalidates(method, 303)) << http::to_string(method);
    EXPECT_FALSE(invalidates(method, 404)) << http::to_string(method);
    EXPECT_FALSE(invalidates(method, 500)) << http::to_string(method);
    EXPECT_FALSE(invalidates(method, 103)) << http::to_string(method);
  }
  for (const Method method : {Method::get, Method::head, Method::options, Method::trace}) {
    EXPECT_FALSE(invalidates(method, 200)) << http::to_string(method);
  }
}

}  // namespace
}  // namespace revcache::cache::testing
