#include "tests/world/world.h"

#include <gtest/gtest.h>

#include <utility>

#include "metrics/log.h"
#include "metrics/metrics.h"
#include "proxy/connection_limits.h"

namespace revcache::sim {

namespace {

constexpr std::string_view kHost = "cdn.test";

class SilentRequestLog final : public proxy::RequestLog {
 public:
  [[nodiscard]] bool wants(const proxy::RequestRecord&) const noexcept override { return false; }
  void record(const proxy::FinishedRequest&) override {}
  void set_mode(metrics::AccessLogMode) noexcept override {}
};

config::Config world_config() {
  config::Config config;
  config.access.clients = {*IpNetwork::parse("198.51.100.0/24")};
  config::DestinationPattern pattern;
  pattern.text = pattern.host = kHost;
  config.access.destinations = {pattern};
  config.access.allow_private_destinations = {*IpNetwork::parse("203.0.113.0/24")};
  return config;
}

// One request on its own connection.
class Asking final : public net::StreamReader, public std::enable_shared_from_this<Asking> {
 public:
  Asking(std::string request, std::function<void(const ClientAnswer&)> done)
      : request_(std::move(request)), done_(std::move(done)), parser_(limits_) {
    parser_.begin(http::Method::get);
  }

  void on_connected(Result<std::unique_ptr<net::Stream>> stream) {
    if (!stream) return finish();
    self_ = shared_from_this();
    stream_ = std::move(*stream);
    stream_->start_reading(*this);
    std::vector<SharedBytes> pieces;
    pieces.push_back(SharedBytes::take(std::move(request_)));
    stream_->write(std::move(pieces), [](Result<void>) {});
  }

  void on_read(std::string_view chunk) override {
    while (!chunk.empty()) {
      const auto step = parser_.feed(chunk);
      chunk.remove_prefix(step.consumed);
      if (step.kind == http::StepKind::malformed) return finish();
      if (step.kind == http::StepKind::body) answer_.body += step.body;
      if (step.kind == http::StepKind::head) {
        answer_.status = parser_.head().status;
        answer_.cache_status =
            std::string(parser_.head().fields.find(http::FieldId::cache_status).value_or(""));
        answer_.complete = parser_.head().framing == http::BodyFraming::none;
      }
      if (step.kind == http::StepKind::end) answer_.complete = true;
      if (answer_.complete) return finish();
    }
  }
  void on_read_end() override { finish(); }
  void on_read_error(Error) override { finish(); }

 private:
  void finish() {
    auto keep = std::exchange(self_, nullptr);
    stream_.reset();
    if (auto done = std::exchange(done_, nullptr)) done(answer_);
  }

  std::string request_;
  std::function<void(const ClientAnswer&)> done_;
  http::ParserLimits limits_;
  http::ResponseParser parser_;
  std::unique_ptr<net::Stream> stream_;
  std::shared_ptr<Asking> self_;
  ClientAnswer answer_;
};

}  // namespace

// What a process loses when it dies.
struct World::Proxy {
  explicit Proxy(World& world)
      : timers(world.scheduler_),
        executor(world.scheduler_),
        shared(world.settings_->config->cache, world.scheduler_.seed()),
        upstream({world.network_, world.resolver_, timers, world.scheduler_, *metrics, log,
                  "revcache-0123456789abcdef"},
                 {world.settings_->config, world.settings_->access}),
        clock_guard(world.state_, world.scheduler_),
        evidence({world.state_, clock_guard, counters, log},
                 {.bytes_max = 1ULL << 30U,
                  .issuers_max = 256,
                  .signatures = {},
                  .hash_seed = world.scheduler_.seed()}),
        background(world.scheduler_),
        admission(evidence, background, executor, snapshot, world.scheduler_),
        cache({shared, &world.disk_, upstream, admission, executor, timers, world.scheduler_,
               *metrics, log, active_fetches}),
        context{.clock = world.scheduler_,
                .precise_clock = world.scheduler_,
                .timers = timers,
                .executor = executor,
                .metrics = *metrics,
                .log = log,
                .request_log = request_log,
                .cache = cache,
                .upstream = upstream,
                .connection_limits = connection_limits,
                .instance_id = "revcache-0123456789abcdef",
                .settings = world.settings_,
                .routes = proxy::RouteMemo(world.scheduler_.seed())},
        worker(std::make_unique<proxy::Worker>(context)) {
    know(world);
    world.network_.listen(World::proxy_address(), [this](std::unique_ptr<net::Stream> stream) {
      worker->accept(std::move(stream));
    });
  }

  ~Proxy() {
    refresher.reset();
    worker.reset();
    cache.abort_all();
    executor.stop();
  }

  // As main does at start: authorities, then what renews their CRLs.
  void know(World& world) {
    if (world.options_.authority == nullptr) return;
    evidence.on_change([this](const revocation::SnapshotPtr& known) {
      executor.post([this, known] { snapshot.receive(known); });
    });
    evidence.on_learned([this](const std::string& url, const auto& dates) {
      executor.post([this, url, dates] { refresher->learn(url, dates); });
    });
    revocation::TrustedAuthority authority{
        .name = "root", .certificate = world.options_.authority, .crl_urls = {}, .grace = {}};
    for (const auto& uri : world.settings_->config->authorities.front().crls) {
      authority.crl_urls.push_back(uri.text());
    }
    ASSERT_TRUE(evidence.set_authorities({authority}, world.scheduler_.wall()));
    refresher = std::make_unique<proxy::LoopRefresher>(
        proxy::LoopRefresher::Parts{.cache = cache,
                                    .timers = timers,
                                    .background = background,
                                    .clock = world.scheduler_,
                                    .log = log,
                                    .evidence = evidence,
                                    .state = world.state_,
                                    .seed = world.scheduler_.seed()},
        world.settings_);
    refresher->start(world.state_.refresh_records().value());
  }

  SimTimers timers;
  SimExecutor executor;
  std::unique_ptr<metrics::LoopMetrics> metrics = std::make_unique<metrics::LoopMetrics>();
  metrics::NullLog log;
  SilentRequestLog request_log;
  proxy::ConnectionLimits connection_limits;
  cache::SharedCache shared;
  proxy::UpstreamClient upstream;
  revocation::ClockGuard clock_guard;
  revocation::EvidenceCounters counters;
  revocation::Evidence evidence;
  SimBackgroundWork background;
  revocation::LoopSnapshot snapshot{background};
  revocation::Admission admission;
  cache::ActiveFetches active_fetches;
  cache::HttpCache cache;
  std::unique_ptr<proxy::LoopRefresher> refresher;
  proxy::WorkerContext context;
  std::unique_ptr<proxy::Worker> worker;
};

World::World(Seed seed, WorldOptions options)
    : options_(std::move(options)),
      scheduler_(seed.value),
      network_(scheduler_),
      resolver_(scheduler_),
      disk_(scheduler_),
      origin_(scheduler_, network_, origin_address()),
      settings_(std::make_shared<proxy::Settings>()) {
  resolver_.set(std::string(kHost), {"203.0.113.7"});
  auto config = std::make_shared<config::Config>(world_config());
  if (options_.authority != nullptr) {
    config::Authority authority;
    authority.name = "root";
    for (const std::string& path : options_.crl_paths) {
      std::string storage;
      authority.crls.emplace_back(
          http::parse_absolute_form("http://" + std::string(kHost) + path, storage).value());
    }
    config->authorities.push_back(std::move(authority));
    settings_->authority_certificates.emplace("root", options_.authority);
  }
  settings_->access = std::make_shared<proxy::AccessControl>(
      *config, std::vector<SocketAddress>{proxy_address()}, std::vector<IpAddress>{});
  settings_->config = std::move(config);
  proxy_ = std::make_unique<Proxy>(*this);
}

World::~World() = default;

SocketAddress World::origin_address() { return *SocketAddress::parse("203.0.113.7:80"); }
SocketAddress World::proxy_address() { return *SocketAddress::parse("192.0.2.1:3128"); }

cache::SharedCache& World::cache() noexcept { return proxy_->shared; }
revocation::Evidence& World::evidence() noexcept { return proxy_->evidence; }
const metrics::LoopMetrics& World::metrics() const noexcept { return *proxy_->metrics; }

void World::get(const std::string& path, std::function<void(const ClientAnswer&)> done,
                const std::string& extra_fields) {
  ++asked_;
  const std::string host(kHost);
  auto asking = std::make_shared<Asking>(
      "GET http://" + host + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + extra_fields + "\r\n",
      [this, done = std::move(done)](const ClientAnswer& answer) {
        ++answers_;
        done(answer);
      });
  network_.connect_from(*IpAddress::parse("198.51.100.9"), proxy_address(), std::chrono::seconds(5),
                        [asking](auto stream) { asking->on_connected(std::move(stream)); });
}

ClientAnswer World::get_now(const std::string& path, const std::string& extra_fields) {
  ClientAnswer got;
  bool done = false;
  get(
      path,
      [&](const ClientAnswer& answer) {
        got = answer;
        done = true;
      },
      extra_fields);
  for (int i = 0; i < 1'000'000 && !done && scheduler_.step(); ++i) {
  }
  EXPECT_TRUE(done) << "no answer for " << path;
  return got;
}

void World::drain_and_check() {
  scheduler_.run_for(std::chrono::seconds(30));
  EXPECT_EQ(answers_, asked_) << "every request is answered exactly once";
  EXPECT_EQ(proxy_->shared.coalescer.flights(), 0U);
  EXPECT_EQ(proxy_->active_fetches.size(), 0U);
  EXPECT_EQ(proxy_->metrics->requests_in_flight.value(), 0);
  if (proxy_->refresher != nullptr) proxy_->refresher->stop();
  bool drained = false;
  proxy_->worker->drain([&drained] { drained = true; });
  scheduler_.run_for(std::chrono::seconds(30));
  EXPECT_TRUE(drained);
  EXPECT_EQ(proxy_->worker->connections(), 0U);
  EXPECT_EQ(proxy_->connection_limits.connections(), 0U);
}

void World::silence_origin() {
  network_.link(origin_address()).accepting = Accepting::silence;
  network_.stall_all(origin_address());
}

void World::bring_origin_back() { network_.link(origin_address()).accepting = Accepting::accept; }

void World::crash_and_restart() {
  network_.reset_all(proxy_address());
  proxy_.reset();
  proxy_ = std::make_unique<Proxy>(*this);
}

}  // namespace revcache::sim
