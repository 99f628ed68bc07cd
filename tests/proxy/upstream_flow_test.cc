// Time and flow: deadlines of each phase, slow bodies, back-pressure in both directions, streamed
// request bodies.
#include <gtest/gtest.h>

#include "tests/proxy/upstream_world.h"

namespace revcache::proxy {
namespace {

using sim::Accepting;
using sim::http_response;
using sim::SimAnswer;
using sim::TlsOutcome;

struct PhaseCase {
  std::string_view what;
  void (*fault)(UpstreamWorld&, sim::SimOrigin&);
  milliseconds took;
};

TEST(UpstreamDeadlines, EndEachPhaseInItsOwnTime) {
  const std::vector<PhaseCase> cases{
      {"DNS",
       [](UpstreamWorld& world, sim::SimOrigin&) {
         world.resolver.name("a.test").answer = sim::NameAnswer::silence;
       },
       milliseconds(2000)},
      {"connect",
       [](UpstreamWorld& world, sim::SimOrigin& origin) {
         world.network.link(origin.address()).accepting = Accepting::silence;
       },
       milliseconds(2001)},
      {"TLS",
       [](UpstreamWorld& world, sim::SimOrigin&) {
         world.network.set_tls("a.test", TlsOutcome::silence);
       },
       milliseconds(2003)},
      {"first byte", [](UpstreamWorld&, sim::SimOrigin& origin) { origin.set_script(silent()); },
       milliseconds(4000)},
      {"head",
       [](UpstreamWorld& world, sim::SimOrigin& origin) {
         world.network.link(origin.address()).to_client.stall_after_bytes = 20;
       },
       milliseconds(4000)},
      {"body",
       [](UpstreamWorld& world, sim::SimOrigin& origin) {
         world.network.link(origin.address()).to_client.stall_after_bytes = 60;
       },
       milliseconds(5007)},
  };
  for (const auto& test : cases) {
    UpstreamWorld world;
    auto& origin = world.serve("a.test", "20.0.0.1:443", always(std::string(100, 'x')));
    test.fault(world, origin);
    const auto fetched = world.fetch(get("https://a.test/"));
    EXPECT_EQ(fetched->outcome(), "failed timed_out") << test.what;
    EXPECT_EQ(fetched->took, test.took) << test.what;
    EXPECT_EQ(fetched->head.has_value(), test.what == "body");
  }
}

TEST(UpstreamDeadlines, PutAllPhasesInsideOneTotal) {
  for (const auto total : {milliseconds(1), milliseconds(700), milliseconds(3500)}) {
    UpstreamWorld world;
    auto& origin = world.serve("a.test", "20.0.0.1:80", [](const auto&) {
      return SimAnswer{.bytes = http_response(200, "x"), .delay = milliseconds(1900)};
    });
    world.resolver.name("a.test").delay = milliseconds(1900);
    world.network.link(origin.address()).to_server.latency = milliseconds(900);
    auto request = get("http://a.test/");
    request.timeout = total;
    const auto fetched = world.fetch(std::move(request));
    EXPECT_EQ(fetched->outcome(), "failed timed_out");
    EXPECT_EQ(fetched->took, total);
  }
}

TEST(UpstreamDeadlines, CutASlowBodyOffAndLetAFasterOnePass) {
  for (const bool fast : {true, false}) {
    UpstreamWorld world;
    world.config.limits.upstream_rate_min = 512;
    auto& origin = world.serve("a.test", "20.0.0.1:80", always(std::string(12'000, 'x')));
    auto& link = world.network.link(origin.address()).to_client;
    link.chunk_bytes_max = 100;
    // Segments of 1460 bytes arrive every 2.4 or 4.9 s.
    link.bytes_per_second = fast ? 600 : 300;
    const auto fetched = world.fetch(get("http://a.test/"));
    EXPECT_EQ(fetched->complete, fast) << fetched->outcome().substr(0, 40);
    EXPECT_EQ(fetched->outcome() == "failed timed_out", !fast);
  }
}

TEST(UpstreamDeadlines, GiveAnEvidenceBodyNoMoreThanTheTotalButAStreamedOneItsTime) {
  for (const auto kind : {ObjectKind::crl, ObjectKind::other}) {
    UpstreamWorld world;
    auto& origin = world.serve("a.test", "20.0.0.1:80", always(std::string(60'000, 'x')));
    world.network.link(origin.address()).to_client.bytes_per_second = 3000;  // 20 s
    auto request = get("http://a.test/");
    request.kind = kind;
    const auto fetched = world.fetch(std::move(request));
    EXPECT_EQ(fetched->complete, kind == ObjectKind::other);
    if (kind == ObjectKind::other) continue;
    EXPECT_EQ(fetched->outcome(), "failed timed_out");
    EXPECT_EQ(fetched->took, world.config.upstream.timeout);
  }
}

TEST(UpstreamFlow, StopsReadingWhilePausedAndLosesNothing) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    UpstreamWorld world(seed);
    std::string body;
    for (int i = 0; i < 30'000; ++i) body += static_cast<char>('a' + i % 26);
    auto& origin = world.serve("a.test", "20.0.0.1:80", always(body));
    auto& link = world.network.link(origin.address()).to_client;
    link = {.window_bytes = 2000, .chunk_bytes_max = 700, .split_chunks = true};
    auto fetched = world.begin(get("http://a.test/"));
    while (!fetched->head) world.scheduler.run_for(milliseconds(1));
    for (int i = 0; i < 200 && !fetched->over(); ++i) {
      fetched->exchange->pause();
      const auto before = fetched->body.size();
      // Longer than any deadline in all: a paused body is not a slow one.
      world.scheduler.run_for(seconds(1));
      ASSERT_EQ(fetched->body.size(), before) << "delivered while paused";
      fetched->exchange->resume();
      world.scheduler.run_for(milliseconds(world.scheduler.uniform(0, 9)));
    }
    world.scheduler.run_for(seconds(2));
    EXPECT_TRUE(fetched->complete);
    EXPECT_EQ(fetched->body, body);
    EXPECT_EQ(origin.connections(), 1U);
  }
}

// A sink that pauses inside its own callbacks, and resumes later or at once.
class PausingSink final : public cache::OriginSink {
 public:
  explicit PausingSink(bool resume_inside) : resume_inside_(resume_inside) {}
  void on_head(http::ResponseHead, WallTime) override { pause(); }
  void on_body(std::string_view piece) override {
    EXPECT_FALSE(paused_) << "delivered while paused";
    body += piece;
    pause();
  }
  void on_complete() override { complete = true; }
  void on_failed(Error) override { ADD_FAILURE(); }
  void resume() {
    paused_ = false;
    exchange->resume();
  }
  std::unique_ptr<cache::OriginExchange> exchange;
  std::string body;
  bool complete = false;

 private:
  void pause() {
    paused_ = true;
    exchange->pause();
    if (resume_inside_) resume();
  }
  bool resume_inside_;
  bool paused_ = false;
};

TEST(UpstreamFlow, MayBePausedAndResumedFromInsideTheSink) {
  for (const bool resume_inside : {true, false}) {
    for (const bool chunked : {true, false}) {
      UpstreamWorld world;
      const std::string body(5000, 'x');
      world.serve("a.test", "20.0.0.1:80", [&](const auto&) {
        if (!chunked) return SimAnswer{.bytes = http_response(200, body)};
        std::string bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (int i = 0; i < 50; ++i) bytes += "64\r\n" + std::string(100, 'x') + "\r\n";
        return SimAnswer{.bytes = bytes + "0\r\n\r\n"};
      });
      PausingSink sink(resume_inside);
      sink.exchange = world.client().fetch(get("http://a.test/"), sink);
      for (int i = 0; i < 200 && !sink.complete; ++i) {
        world.scheduler.run_for(milliseconds(10));
        if (!resume_inside) sink.resume();
      }
      EXPECT_TRUE(sink.complete);
      EXPECT_EQ(sink.body, body);
    }
  }
}

TEST(UpstreamFlow, DeliversTheHeadEvenIfPausedBeforeItCame) {
  UpstreamWorld world;
  world.serve("a.test", "20.0.0.1:80", always("body"));
  auto fetched = world.begin(get("http://a.test/"));
  fetched->exchange->pause();
  world.scheduler.run_for(seconds(20));
  EXPECT_TRUE(fetched->head.has_value());
  EXPECT_EQ(fetched->body, "");
  fetched->exchange->resume();
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(fetched->outcome(), "200 body");
}

// Gives a body of so many pieces, each so much later than it was asked for.
class SlowSource final : public cache::RequestBodySource {
 public:
  SlowSource(sim::SimScheduler& scheduler, Fetched*& fetched, std::vector<std::string> pieces,
             std::chrono::nanoseconds delay)
      : scheduler_(scheduler), fetched_(fetched), pieces_(std::move(pieces)), delay_(delay) {}
  void want_body() override {
    ++asked;
    ASSERT_LT(next_, pieces_.size()) << "asked for more than there is";
    if (delay_.count() == 0) return give();
    scheduler_.after(delay_, [this] { give(); });
  }
  int asked = 0;

 private:
  void give() {
    const auto& piece = pieces_[next_++];
    fetched_->exchange->send_body(piece, next_ == pieces_.size());
  }
  sim::SimScheduler& scheduler_;
  Fetched*& fetched_;
  std::vector<std::string> pieces_;
  std::chrono::nanoseconds delay_;
  std::size_t next_ = 0;
};

cache::OriginRequest streamed(std::string_view url, cache::RequestBodySource& source,
                              std::optional<std::uint64_t> length) {
  auto request = get(url);
  request.method = http::Method::post;
  request.body_source = &source;
  request.body_length = length;
  return request;
}

TEST(UpstreamFlow, StreamsARequestBodyInEitherFraming) {
  for (const bool chunked : {true, false}) {
    for (const auto delay : {milliseconds(0), milliseconds(3)}) {
      UpstreamWorld world;
      auto& origin = world.serve("a.test", "20.0.0.1:80", always("ok"));
      Fetched* current = nullptr;
      std::vector<std::string> pieces{"hello ", "", "world"};
      // The end may come by itself; a length would have said it before.
      if (chunked) pieces.emplace_back();
      SlowSource source(world.scheduler, current, pieces, delay);
      std::optional<std::uint64_t> length;
      if (!chunked) length = 11;
      auto fetched = world.begin(streamed("http://a.test/", source, length));
      current = fetched.get();
      world.scheduler.run_for(seconds(1));
      EXPECT_EQ(fetched->outcome(), "200 ok");
      ASSERT_EQ(origin.requests().size(), 1U);
      EXPECT_EQ(origin.requests()[0].body, "hello world");
      EXPECT_EQ(origin.requests()[0].fields.has(http::FieldId::transfer_encoding), chunked);
      EXPECT_EQ(source.asked, static_cast<int>(pieces.size()));
      EXPECT_EQ(origin.open_connections(), 1U) << "and the connection is kept";
    }
  }
}

TEST(UpstreamFlow, AsksForMoreOfABodyOnlyWhenTheOriginTookTheLastPiece) {
  UpstreamWorld world;
  auto& origin = world.serve("a.test", "20.0.0.1:80", always("ok"));
  world.network.link(origin.address()).to_server.window_bytes = 1000;
  Fetched* current = nullptr;
  SlowSource source(world.scheduler, current, std::vector<std::string>(10, std::string(800, 'x')),
                    milliseconds(0));
  auto fetched = world.begin(streamed("http://a.test/", source, 8000));
  current = fetched.get();
  while (source.asked == 0) world.scheduler.run_for(milliseconds(1));
  origin.stop_reading();
  world.scheduler.run_for(seconds(1));
  EXPECT_LE(source.asked, 3);
  origin.resume_reading();
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(fetched->outcome(), "200 ok");
  EXPECT_EQ(source.asked, 10);
}

TEST(UpstreamFlow, LetsTheSourceOfABodyTakeItsTimeButNotTheOrigin) {
  UpstreamWorld world;
  world.serve("a.test", "20.0.0.1:80", silent());
  Fetched* current = nullptr;
  SlowSource source(world.scheduler, current, {"a", "b", "c"}, seconds(8));
  auto fetched = world.begin(streamed("http://a.test/", source, 3));
  current = fetched.get();
  world.scheduler.run_for(seconds(24));
  EXPECT_EQ(fetched->outcome(), "nothing") << "the client has its own deadlines";
  world.scheduler.run_for(seconds(5));
  EXPECT_EQ(fetched->outcome(), "failed timed_out");
}

TEST(UpstreamFlow, NeverSendsAStreamedBodyASecondTime) {
  UpstreamWorld world;
  world.config.mirrors = {{{{"a.test", 0}, {"b.test", 0}}}};
  world.serve("a.test", "20.0.0.1:80", [](const auto&) { return SimAnswer{.close = true}; });
  auto& mirror = world.serve("b.test", "20.0.0.2:80", always("b"));
  Fetched* current = nullptr;
  SlowSource source(world.scheduler, current, {"a"}, milliseconds(0));
  auto request = streamed("http://a.test/", source, 1);
  request.method = http::Method::put;
  auto fetched = world.begin(std::move(request));
  current = fetched.get();
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(fetched->outcome(), "failed disconnected");
  EXPECT_EQ(mirror.connections(), 0U);
  // But where no connection was made, nothing of it was asked for yet.
  UpstreamWorld other;
  other.config.mirrors = world.config.mirrors;
  other.resolver.name("a.test").answer = sim::NameAnswer::no_such_name;
  other.serve("b.test", "20.0.0.2:80", always("b"));
  SlowSource again(other.scheduler, current, {"a"}, milliseconds(0));
  auto second = other.begin(streamed("http://a.test/", again, 1));
  current = second.get();
  other.scheduler.run_for(seconds(1));
  EXPECT_EQ(second->outcome(), "200 b");
}

TEST(UpstreamFlow, HandsOnAResponseThatComesBeforeTheBodyWasSent) {
  UpstreamWorld world;
  auto& origin = world.serve("a.test", "20.0.0.1:80", [](const auto&) {
    return SimAnswer{.bytes = http_response(413, "too large")};
  });
  origin.answer_at_head(true);
  Fetched* current = nullptr;
  SlowSource source(world.scheduler, current, {"a", "b"}, seconds(1));
  auto fetched = world.begin(streamed("http://a.test/", source, 2));
  current = fetched.get();
  world.scheduler.run_for(milliseconds(100));
  EXPECT_EQ(fetched->outcome(), "413 too large");
  world.scheduler.run_for(seconds(3));
  EXPECT_EQ(source.asked, 1);
  EXPECT_EQ(origin.open_connections(), 0U);
}

}  // namespace
}  // namespace revcache::proxy
