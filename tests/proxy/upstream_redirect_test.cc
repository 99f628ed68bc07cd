// Which redirects are followed, with what, and which are refused (RFC 9110 section 15.4).
#include <gtest/gtest.h>

#include <map>

#include "tests/proxy/upstream_world.h"

namespace revcache::proxy {
namespace {

using sim::http_response;
using sim::SimAnswer;
using sim::SimRequest;

SimAnswer redirect(unsigned status, std::string_view location, std::string_view body = "") {
  return {.bytes = http_response(status, body, "Location: " + std::string(location) + "\r\n")};
}

// A server that redirects by table and answers 200 with the path elsewhere.
sim::SimOrigin::Script by_table(std::map<std::string, std::string> table) {
  return [table = std::move(table)](const SimRequest& request) {
    const auto found = table.find(request.target);
    if (found != table.end()) return redirect(302, found->second);
    return SimAnswer{.bytes = http_response(200, request.target)};
  };
}

cache::OriginRequest following(cache::OriginRequest request) {
  request.follow_redirects = true;
  return request;
}

struct MethodCase {
  unsigned status;
  std::string_view method;
  std::string_view then;  // empty: not followed
};

TEST(UpstreamRedirect, FollowsWithTheSameMethodButAnswersSeeOtherByGet) {
  const std::vector<MethodCase> cases{
      {301, "GET", "GET"},   {302, "GET", "GET"},   {303, "GET", "GET"},   {307, "GET", "GET"},
      {308, "GET", "GET"},   {301, "POST", "POST"}, {302, "POST", "POST"}, {303, "POST", "GET"},
      {307, "POST", "POST"}, {308, "POST", "POST"}, {303, "HEAD", "HEAD"}, {300, "GET", ""},
      {304, "GET", ""},      {305, "GET", ""},      {399, "GET", ""},      {201, "GET", ""},
  };
  for (const auto& test : cases) {
    UpstreamWorld world;
    auto& origin = world.serve("a.test", "20.0.0.1:80", [&](const SimRequest& request) {
      if (request.target == "/old") return redirect(test.status, "/new");
      return SimAnswer{.bytes = http_response(200, request.method == "HEAD" ? "" : "done")};
    });
    auto request = following(post("http://a.test/old", "question"));
    request.kind = ObjectKind::ocsp;
    request.fields.add("Content-Type", "application/ocsp-request");
    if (test.method != "POST") {
      request.method = http::method_from(test.method);
      request.body.clear();
      request.has_body = false;
    }
    const auto fetched = world.fetch(std::move(request));
    ASSERT_TRUE(fetched->head.has_value()) << test.status << ' ' << test.method;
    ASSERT_EQ(origin.requests().size(), test.then.empty() ? 1U : 2U) << test.status;
    EXPECT_EQ(fetched->head->status, test.then.empty() ? test.status : 200U);
    if (test.then.empty()) continue;
    const auto& second = origin.requests()[1];
    EXPECT_EQ(second.method, test.then) << test.status << ' ' << test.method;
    EXPECT_EQ(second.body, test.then == "POST" ? "question" : "") << test.status;
    EXPECT_EQ(second.fields.has(http::FieldId::content_length), test.then == "POST");
    EXPECT_EQ(origin.connections(), 1U) << "a redirect without content keeps its connection";
  }
}

struct TargetCase {
  std::string_view what;
  std::string from;
  std::string location;
  std::string_view outcome;
};

TEST(UpstreamRedirect, ChecksEachTarget) {
  const std::vector<TargetCase> cases{
      {"relative path", "http://a.test/x/old", "new", "200 /x/new"},
      {"absolute path", "http://a.test/x/old", "/new?q", "200 /new?q"},
      {"another allowed host", "http://a.test/old", "http://b.test/new", "200 /new"},
      {"to https", "http://a.test/old", "https://b.test/new", "200 /new"},
      {"https to http", "https://b.test/old", "http://b.test/new", "failed refused"},
      {"not an allowed host", "http://a.test/old", "http://evil.example/", "failed refused"},
      {"an allowed name with a private address", "http://a.test/old", "http://inside.test/",
       "failed refused"},
      {"an address literal", "http://a.test/old", "http://10.0.0.1/", "failed refused"},
      {"another scheme", "http://a.test/old", "file:///etc/passwd", "failed malformed"},
      {"user information", "http://a.test/old", "http://a.test@evil.example/", "failed malformed"},
      {"itself", "http://a.test/old", "http://A.test:80/old", "failed malformed"},
      {"an unknown host", "http://a.test/old", "http://nowhere.test/", "failed unreachable"},
  };
  for (const auto& test : cases) {
    UpstreamWorld world;
    const sim::SimOrigin::Script script = [&](const SimRequest& request) {
      if (request.target.ends_with("old")) return redirect(302, test.location);
      return SimAnswer{.bytes = http_response(200, request.target)};
    };
    world.serve("a.test", "20.0.0.1:80", script);
    world.serve("b.test", "20.0.0.2:80", script);
    world.serve("b.test", "20.0.0.2:443", script);
    world.serve("inside.test", "10.0.0.1:80", script);
    const auto fetched = world.fetch(following(get(test.from)));
    EXPECT_EQ(fetched->outcome(), test.outcome) << test.what;
    EXPECT_EQ(fetched->head.has_value(), !fetched->error) << "no head of a redirect: " << test.what;
  }
}

TEST(UpstreamRedirect, FollowsAtMostSoMany) {
  UpstreamWorld world;
  world.config.limits.upstream_redirects = 3;
  world.serve("a.test", "20.0.0.1:80",
              by_table({{"/0", "/1"}, {"/1", "/2"}, {"/2", "/3"}, {"/3", "/4"}}));
  EXPECT_EQ(world.fetch(following(get("http://a.test/1")))->outcome(), "200 /4");
  EXPECT_EQ(world.fetch(following(get("http://a.test/0")))->outcome(), "failed refused");
  world.config.limits.upstream_redirects = 0;
  world.client().apply(world.settings());
  EXPECT_EQ(world.fetch(following(get("http://a.test/3")))->outcome(), "failed refused");
}

TEST(UpstreamRedirect, FindsCirclesBeforeTheLimit) {
  UpstreamWorld world;
  world.config.limits.upstream_redirects = 100;
  auto& origin =
      world.serve("a.test", "20.0.0.1:80", by_table({{"/0", "/1"}, {"/1", "/2"}, {"/2", "/0"}}));
  const auto fetched = world.fetch(following(get("http://a.test/0")));
  EXPECT_EQ(fetched->outcome(), "failed malformed");
  EXPECT_EQ(fetched->error->detail, "a redirect loop, back to http://a.test/0");
  EXPECT_EQ(origin.requests().size(), 3U);
}

TEST(UpstreamRedirect, IsTheClientsBusinessUnlessAskedFor) {
  UpstreamWorld world;
  world.serve("a.test", "20.0.0.1:80", by_table({{"/0", "/1"}}));
  const auto fetched = world.fetch(get("http://a.test/0"));
  EXPECT_EQ(fetched->outcome(), "302 ");
  EXPECT_EQ(fetched->head->fields.find("Location"), "/1");
}

TEST(UpstreamRedirect, TakesCredentialsToNoOtherHost) {
  UpstreamWorld world;
  const sim::SimOrigin::Script script = [&](const SimRequest& request) {
    if (request.target == "/near") return redirect(302, "/far");
    if (request.target == "/far") return redirect(302, "http://b.test/there");
    return SimAnswer{.bytes = http_response(200, "x")};
  };
  auto& a = world.serve("a.test", "20.0.0.1:80", script);
  auto& b = world.serve("b.test", "20.0.0.2:80", script);
  auto request = following(get("http://a.test/near"));
  request.fields.add("Authorization", "Basic c2VjcmV0");
  request.fields.add("Cookie", "secret");
  request.fields.add("If-None-Match", "\"1\"");
  EXPECT_EQ(world.fetch(std::move(request))->outcome(), "200 x");
  EXPECT_TRUE(a.requests()[1].fields.has(http::FieldId::authorization));
  EXPECT_FALSE(b.requests()[0].fields.has(http::FieldId::authorization));
  EXPECT_FALSE(b.requests()[0].fields.find("Cookie").has_value());
  EXPECT_TRUE(b.requests()[0].fields.has(http::FieldId::if_none_match));
}

TEST(UpstreamRedirect, DoesNotWaitForTheContentOfARedirect) {
  UpstreamWorld world;
  world.serve("a.test", "20.0.0.1:80", [](const SimRequest& request) {
    if (request.target != "/old") return SimAnswer{.bytes = http_response(200, "x")};
    return SimAnswer{.bytes = "HTTP/1.1 301 M\r\nLocation: /new\r\nContent-Length: 9999\r\n\r\n"};
  });
  const auto fetched = world.fetch(following(get("http://a.test/old")));
  EXPECT_EQ(fetched->outcome(), "200 x");
  EXPECT_LT(fetched->took, milliseconds(50));
  EXPECT_EQ(world.counted(metrics::UpstreamOutcome::ok), 2U);
}

TEST(UpstreamRedirect, SpendsOneTotalOnAllHops) {
  UpstreamWorld world;
  int hop = 0;
  world.serve("a.test", "20.0.0.1:80", [&](const SimRequest&) {
    auto answer = redirect(302, "/" + std::to_string(++hop));
    answer.delay = milliseconds(3000);
    return answer;
  });
  const auto fetched = world.fetch(following(get("http://a.test/0")));
  EXPECT_EQ(fetched->outcome(), "failed timed_out");
  EXPECT_LE(fetched->took, world.config.upstream.timeout + milliseconds(1));
}

TEST(UpstreamRedirect, GoesToTheMirrorsOfItsTarget) {
  UpstreamWorld world;
  world.config.mirrors = {{{{"b.test", 0}, {"c.test", 0}}}};
  world.serve("a.test", "20.0.0.1:80",
              [](const SimRequest&) { return redirect(307, "http://b.test/x"); });
  world.resolver.name("b.test").answer = sim::NameAnswer::no_such_name;
  world.serve("c.test", "20.0.0.3:80", always("c"));
  EXPECT_EQ(world.fetch(following(get("http://a.test/")))->outcome(), "200 c");
}

}  // namespace
}  // namespace revcache::proxy
