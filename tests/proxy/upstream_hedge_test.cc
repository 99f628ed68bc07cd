#include "proxy/upstream_hedge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "proxy/upstream_mirrors.h"
#include "tests/proxy/upstream_world.h"

namespace revcache::proxy {
namespace {

using sim::http_response;
using sim::SimAnswer;

TEST(MirrorLatency, SaysNothingBeforeItHasEnoughSamples) {
  MirrorLatency latency;
  for (std::size_t i = 0; i + 1 < MirrorLatency::kSamplesMin; ++i) latency.add(milliseconds(10));
  EXPECT_EQ(latency.p95(), std::nullopt);
  latency.add(milliseconds(10));
  EXPECT_EQ(latency.p95(), milliseconds(10));
}

TEST(MirrorLatency, GivesTheTimeThat95OfAHundredKept) {
  MirrorLatency latency;
  for (int i = 1; i <= 20; ++i) latency.add(milliseconds(i == 7 ? 5000 : 10 * i));
  EXPECT_EQ(latency.p95(), milliseconds(200));  // the 19th of 20
}

TEST(MirrorLatency, ForgetsWhatIsLongAgo) {
  MirrorLatency latency;
  for (std::size_t i = 0; i < 500; ++i) latency.add(seconds(9));
  for (std::size_t i = 0; i < MirrorLatency::kSamplesMax; ++i) latency.add(milliseconds(3));
  EXPECT_EQ(latency.p95(), milliseconds(3));
  latency.add(-seconds(1));
  latency.add(std::chrono::hours(24) * 365);
  EXPECT_EQ(latency.p95(), milliseconds(3));
}

TEST(HedgeAfter, IsTheUsualTimeOfTheFirstButNeverShort) {
  UpstreamMirrors mirrors({{{{"a.test", 0}, {"b.test", 0}}}});
  const MonotonicTime now{seconds(10)};
  const auto a = uri_of("http://a.test/x");
  const auto b = uri_of("http://b.test/x");
  EXPECT_EQ(mirrors.hedge_after(a, b, now), std::nullopt);
  for (int i = 0; i < 20; ++i) mirrors.answered(a, milliseconds(2));
  EXPECT_EQ(mirrors.hedge_after(a, b, now), kHedgeWaitMin);
  EXPECT_EQ(mirrors.hedge_after(b, a, now), std::nullopt) << "nothing is known of b";
  for (int i = 0; i < 64; ++i) mirrors.answered(a, milliseconds(120));
  EXPECT_EQ(mirrors.hedge_after(a, b, now), milliseconds(120));
  mirrors.failed(b, now);
  EXPECT_EQ(mirrors.hedge_after(a, b, now), std::nullopt) << "b failed just now";
  EXPECT_EQ(mirrors.hedge_after(a, b, now + kMirrorPenalty), milliseconds(120));
}

TEST(HedgeAfter, RemembersMembersOfGroupsOnly) {
  UpstreamMirrors mirrors({{{{"a.test", 0}, {"b.test", 0}}}});
  const auto stranger = uri_of("http://stranger.test/x");
  for (int i = 0; i < 20; ++i) mirrors.answered(stranger, milliseconds(2));
  EXPECT_EQ(mirrors.hedge_after(stranger, uri_of("http://b.test/x"), MonotonicTime(seconds(1))),
            std::nullopt);
}

class Hedge : public testing::Test {
 protected:
  Hedge() {
    world_.config.mirrors = {{{{"a.test", 0}, {"b.test", 0}, {"c.test", 0}}}};
    a_ = &world_.serve("a.test", "20.0.0.1:80", always("a"));
    b_ = &world_.serve("b.test", "20.0.0.2:80", always("b"));
    c_ = &world_.serve("c.test", "20.0.0.3:80", always("c"));
  }

  static cache::OriginRequest crl(std::string_view url = "http://a.test/x.crl") {
    auto request = get(url);
    request.kind = ObjectKind::crl;
    return request;
  }
  static sim::SimOrigin::Script after(milliseconds delay, std::string bytes) {
    return [delay, bytes = std::move(bytes)](const auto&) {
      return SimAnswer{.bytes = bytes, .delay = delay};
    };
  }
  static sim::SimOrigin::Script slow(milliseconds delay, std::string body) {
    return after(delay, http_response(200, body));
  }
  // So that it is known how long `a` usually takes: a few milliseconds.
  void make_a_known() {
    for (std::size_t i = 0; i < MirrorLatency::kSamplesMin; ++i) {
      ASSERT_EQ(world_.fetch(crl())->outcome(), "200 a");
    }
    ASSERT_TRUE(b_->requests().empty());
    world_.log.lines.clear();
  }
  [[nodiscard]] std::size_t hedges() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        world_.log.lines, [](const auto& line) { return line.starts_with("upstream hedged"); }));
  }

  UpstreamWorld world_;
  sim::SimOrigin* a_;
  sim::SimOrigin* b_;
  sim::SimOrigin* c_;
};

TEST_F(Hedge, AsksTheSecondMirrorWhenTheFirstIsSlowerThanUsual) {
  make_a_known();
  a_->set_script(slow(seconds(2), "late a"));
  const auto fetched = world_.fetch(crl());
  EXPECT_EQ(fetched->outcome(), "200 b");
  EXPECT_GE(fetched->took, kHedgeWaitMin);
  EXPECT_LE(fetched->took, kHedgeWaitMin + milliseconds(20));
  EXPECT_EQ(b_->requests()[0].target, "/x.crl");
  EXPECT_EQ(hedges(), 1U);
  world_.scheduler.run_for(seconds(5));
  EXPECT_EQ(a_->open_connections(), 0U) << "the loser was not cancelled";
}

TEST_F(Hedge, TakesTheFirstOnesAnswerWhenThatComesSooner) {
  make_a_known();
  a_->set_script(slow(milliseconds(200), "late a"));
  b_->set_script(slow(milliseconds(500), "later b"));
  EXPECT_EQ(world_.fetch(crl())->outcome(), "200 late a");
  EXPECT_EQ(b_->requests().size(), 1U);
  world_.scheduler.run_for(seconds(1));
  EXPECT_EQ(b_->open_connections(), 0U);
}

TEST_F(Hedge, AsksNobodyElseWhileTheFirstIsAsUsual) {
  make_a_known();
  a_->set_script(slow(milliseconds(40), "a"));
  EXPECT_EQ(world_.fetch(crl())->outcome(), "200 a");
  EXPECT_TRUE(b_->requests().empty());
  EXPECT_EQ(hedges(), 0U);
}

// The first one's body may take its time: only the head counts.
TEST_F(Hedge, AsksNobodyElseOnceTheHeadIsThere) {
  world_.network.link(a_->address()).to_client.bytes_per_second = 2'000'000;
  make_a_known();
  a_->set_script(always(std::string(600'000, 'a')));
  const auto fetched = world_.fetch(crl());
  EXPECT_EQ(fetched->body.size(), 600'000U);
  EXPECT_GE(fetched->took, 3 * kHedgeWaitMin);
  EXPECT_TRUE(b_->requests().empty());
}

TEST_F(Hedge, AsksOneMirrorMoreAndNotAll) {
  make_a_known();
  for (auto* origin : {a_, b_}) origin->set_script(slow(seconds(1), "late"));
  EXPECT_EQ(world_.fetch(crl())->outcome(), "200 late");
  EXPECT_EQ(b_->requests().size(), 1U);
  EXPECT_TRUE(c_->requests().empty());
}

TEST(HedgeLimit, IsOneForAWholeFetch) {
  UpstreamWorld world;
  world.config.mirrors = {{{{"a.test", 0}, {"b.test", 0}, {"c.test", 0}, {"d.test", 0}}}};
  std::vector<sim::SimOrigin*> origins;
  for (const auto* name : {"a", "b", "c", "d"}) {
    origins.push_back(&world.serve(std::string(name) + ".test",
                                   "20.0.0." + std::to_string(origins.size() + 1) + ":80",
                                   always(name)));
  }
  for (const auto* name : {"a", "c"}) {
    auto request = get("http://" + std::string(name) + ".test/x.crl");
    for (std::size_t i = 0; i < MirrorLatency::kSamplesMin; ++i) {
      ASSERT_EQ(world.fetch(request)->outcome(), "200 " + std::string(name));
    }
  }
  const auto answer = [](milliseconds delay, unsigned status) {
    return [delay, status](const auto&) {
      return SimAnswer{.bytes = http_response(status, "late"), .delay = delay};
    };
  };
  for (const std::size_t index : {0U, 1U}) origins[index]->set_script(answer(seconds(1), 503));
  origins[2]->set_script(answer(seconds(1), 200));
  auto request = get("http://a.test/x.crl");
  request.kind = ObjectKind::crl;
  EXPECT_EQ(world.fetch(request)->outcome(), "200 late");
  EXPECT_EQ(origins[1]->requests().size(), 1U);
  EXPECT_TRUE(origins[3]->requests().empty());
}

TEST_F(Hedge, IsForEvidenceThatMayBeAskedForTwice) {
  make_a_known();
  a_->set_script(slow(seconds(1), "late a"));
  const auto hedged = [&](cache::OriginRequest request) {
    const auto before = b_->requests().size();
    EXPECT_TRUE(world_.fetch(std::move(request))->outcome().starts_with("200 "));
    return b_->requests().size() > before;
  };
  auto question = post("http://a.test/ocsp", "question");
  question.kind = ObjectKind::ocsp;
  EXPECT_TRUE(hedged(question));
  EXPECT_EQ(b_->requests().back().body, "question");
  for (const auto kind : {ObjectKind::crl, ObjectKind::delta_crl, ObjectKind::aia}) {
    auto request = crl();
    request.kind = kind;
    EXPECT_TRUE(hedged(request)) << to_string(kind);
  }
  EXPECT_FALSE(hedged(get("http://a.test/large.iso")));
  EXPECT_FALSE(hedged(post("http://a.test/form", "order")));
}

TEST_F(Hedge, WaitsForTheOtherWhenOneFails) {
  struct Row {
    const char* what;
    sim::SimOrigin::Script a;
    sim::SimOrigin::Script b;
    const char* outcome;
  };
  const auto breaks = [](milliseconds delay) {
    return [delay](const auto&) { return SimAnswer{.delay = delay, .close = true}; };
  };
  const auto sorry = http_response(503, "sorry");
  const Row rows[] = {
      {"the second breaks off", slow(milliseconds(300), "a"), breaks(milliseconds(10)), "200 a"},
      {"the second is in error", slow(milliseconds(300), "a"), after(milliseconds(10), sorry),
       "200 a"},
      {"the first is in error", after(milliseconds(200), sorry), slow(milliseconds(400), "b"),
       "200 b"},
      {"both in error: the third", after(milliseconds(200), sorry), after(milliseconds(400), sorry),
       "200 c"},
      {"the second breaks off, the first is in error: the third", after(milliseconds(200), sorry),
       breaks(milliseconds(10)), "200 c"},
  };
  make_a_known();
  for (const auto& row : rows) {
    world_.scheduler.run_for(kMirrorPenalty);
    a_->set_script(row.a);
    b_->set_script(row.b);
    const auto asked = a_->requests().size() + b_->requests().size();
    EXPECT_EQ(world_.fetch(crl())->outcome(), row.outcome) << row.what;
    EXPECT_GE(a_->requests().size() + b_->requests().size() - asked, 2U) << row.what;
  }
}

TEST_F(Hedge, HandsOnTheLastFailureWhenNobodyIsLeft) {
  make_a_known();
  for (auto* origin : {a_, b_, c_}) origin->set_script(silent());
  const auto asked = a_->requests().size();
  EXPECT_EQ(world_.fetch(crl())->outcome(), "failed timed_out");
  EXPECT_LE(a_->requests().size(), asked + 2);  // once more on a fresh connection
  EXPECT_EQ(b_->requests().size(), 1U);
  EXPECT_LE(c_->requests().size(), 1U);
}

// At whatever moment it is given up: nothing is called, nothing left (UpstreamWorld looks).
TEST_F(Hedge, LeavesNothingWhenItIsCancelled) {
  make_a_known();
  a_->set_script(slow(milliseconds(100), "late a"));
  b_->set_script(slow(milliseconds(100), "late b"));
  for (int moment = 0; moment < 200; moment += 3) {
    auto fetched = world_.begin(crl());
    world_.scheduler.run_for(milliseconds(moment));
    const bool over = fetched->over();
    fetched->exchange.reset();
    world_.scheduler.run_for(seconds(1));
    EXPECT_EQ(fetched->over(), over) << moment;
  }
}

TEST_F(Hedge, FollowsARedirectOfTheWinner) {
  make_a_known();
  a_->set_script(slow(seconds(1), "late a"));
  b_->set_script([](const sim::SimRequest& request) {
    if (request.target == "/moved.crl") return SimAnswer{.bytes = http_response(200, "moved b")};
    return SimAnswer{.bytes = http_response(302, "", "Location: http://b.test/moved.crl\r\n")};
  });
  auto request = crl();
  request.follow_redirects = true;
  EXPECT_EQ(world_.fetch(request)->outcome(), "200 moved b");
}

TEST_F(Hedge, PausesAndResumesWhoeverWins) {
  make_a_known();
  a_->set_script(slow(seconds(1), "late a"));
  b_->set_script(always(std::string(100'000, 'b')));
  auto fetched = world_.begin(crl());
  fetched->exchange->pause();
  world_.scheduler.run_for(milliseconds(500));
  EXPECT_FALSE(fetched->over());
  fetched->exchange->resume();
  world_.scheduler.run_for(milliseconds(800));
  EXPECT_TRUE(fetched->complete);
  EXPECT_EQ(fetched->head->status, 200U);
}

}  // namespace
}  // namespace revcache::proxy
