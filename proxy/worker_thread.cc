#include "proxy/worker_thread.h"

#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include "net/listener.h"
#include "net/uv_background_work.h"
#include "net/uv_resolver.h"
#include "net/uv_timers.h"
#include "net/uv_transport.h"
#include "proxy/loop_fetches.h"
#include "proxy/upstream_client.h"
#include "proxy/worker.h"
#include "revocation/admission.h"

namespace revcache::proxy {

// Members in order of dependence: destroyed from the last to the first.
struct WorkerThread::Loop {
  Loop(const SharedParts& parts, std::shared_ptr<const Settings> settings,
       const std::shared_ptr<const net::TlsClientContext>& tls, metrics::LoopMetrics& metrics);

  Result<void> listen(const std::vector<SocketAddress>& addresses);
  void keep_answers_ready();

  net::EventLoop loop;
  net::UvTimers timers{loop};
  net::UvBackgroundWork background;
  std::unique_ptr<net::UvResolver> resolver;
  net::UvTransport transport;
  UpstreamClient upstream;
  revocation::LoopSnapshot snapshot{background};
  revocation::Admission admission;
  std::unique_ptr<cache::Tier> disk;
  cache::ActiveFetches active_fetches;
  cache::HttpCache cache;
  std::unique_ptr<LoopRefresher> refresher;
  std::unique_ptr<RequestLog> request_log;
  revocation::OcspService responder;
  WorkerContext context;
  std::unique_ptr<Worker> worker;
  std::unique_ptr<LoopFetches> fetches;
  std::vector<std::unique_ptr<net::Listener>> listeners;
  // Drained: tells so once, and ends the loop.
  void finish() {
    if (drained != nullptr) std::exchange(drained, nullptr)();
    loop.stop();
  }

  Callback<> drained;
  std::unique_ptr<net::Timer> finish_timer;
  std::unique_ptr<net::Timer> renew_timer;
};

namespace {

constexpr std::chrono::seconds kUnwrittenWaitMax{5};
constexpr std::chrono::seconds kRenewInterval{1};

std::unique_ptr<cache::Tier> disk_tier(const SharedParts& parts, net::BackgroundWork& background,
                                       net::EventLoop& loop, net::Timers& timers) {
  if (parts.disk == nullptr) return nullptr;
  return cache::make_disk_tier(parts.disk,
                               {.work = background, .executor = loop, .timers = timers});
}

UpstreamSettings upstream_settings(const Settings& settings) {
  return {settings.config, settings.access};
}

// Gives those of `urls`, or of all that are known when there are none, that are fetched now.
std::vector<std::string> begin_refresh(LoopRefresher& refresher, std::vector<std::string> urls,
                                       const WorkerThread::RefreshReported& report) {
  if (urls.empty()) {
    for (auto& state : refresher.states()) urls.push_back(std::move(state.url));
  }
  std::vector<std::string> under_way;
  for (const std::string& url : urls) {
    const auto done = [url, report](revocation::RefreshReport got) { report(url, std::move(got)); };
    if (refresher.refresh_now(url, done)) under_way.push_back(url);
  }
  return under_way;
}

}  // namespace

WorkerThread::Loop::Loop(const SharedParts& parts, std::shared_ptr<const Settings> settings,
                         const std::shared_ptr<const net::TlsClientContext>& tls,
                         metrics::LoopMetrics& metrics)
    : loop(&metrics.loop_lag),
      background(loop, parts.work_limits),
      resolver(net::UvResolver::open(loop, {}).value()),
      transport(loop, tls),
      upstream({transport, *resolver, timers, loop, metrics, parts.log, parts.instance_id},
               upstream_settings(*settings)),
      admission(parts.revocation.evidence(), background, loop, snapshot, loop),
      disk(disk_tier(parts, background, loop, timers)),
      cache({parts.cache, disk.get(), upstream, admission, loop, timers, loop, metrics, parts.log,
             active_fetches}),
      request_log(parts.make_request_log(metrics, loop)),
      responder({.shared = parts.responder.shared(),
                 .snapshot = snapshot,
                 .clock = loop,
                 .background = background,
                 .executor = loop,
                 .metrics = metrics,
                 .log = parts.log},
                {.ready_answers_max = settings->config->limits.ready_answers,
                 .hash_seed = parts.hash_seed}),
      context{.clock = loop,
              .precise_clock = parts.clock,
              .timers = timers,
              .executor = loop,
              .metrics = metrics,
              .log = parts.log,
              .request_log = *request_log,
              .cache = cache,
              .upstream = upstream,
              .connection_limits = parts.connection_limits,
              .instance_id = parts.instance_id,
              .settings = std::move(settings),
              .responder = &responder,
              .routes = RouteMemo(parts.hash_seed)},
      worker(std::make_unique<Worker>(context)),
      fetches(std::make_unique<LoopFetches>(context)) {
  // Before the first request: it must not meet a worker that knows nothing.
  snapshot.receive(parts.revocation.evidence().snapshot());
  responder.apply(parts.responder.table());
  keep_answers_ready();
}

void WorkerThread::Loop::keep_answers_ready() {
  responder.renew();
  renew_timer = timers.after(kRenewInterval, [this] { keep_answers_ready(); });
}

Result<void> WorkerThread::Loop::listen(const std::vector<SocketAddress>& addresses) {
  for (const auto& address : addresses) {
    auto listener = net::Listener::open(
        loop, address, {.reuse_port = true, .defer_accept = true},
        [this](std::unique_ptr<net::Stream> stream) { worker->accept(std::move(stream)); },
        [this] { context.metrics.limits_hit[metrics::index(metrics::Limit::connections)].add(); });
    if (!listener) return fail(std::move(listener));
    listeners.push_back(std::move(*listener));
  }
  return {};
}

WorkerThread::WorkerThread(SharedParts parts, std::shared_ptr<const Settings> settings,
                           std::shared_ptr<const net::TlsClientContext> tls,
                           std::vector<SocketAddress> addresses)
    : parts_(std::move(parts)),
      settings_(std::move(settings)),
      tls_(std::move(tls)),
      addresses_(std::move(addresses)) {}

WorkerThread::~WorkerThread() {
  stop();
  if (thread_.joinable()) thread_.join();
}

Result<void> WorkerThread::start() {
  std::promise<Result<void>> listening;
  auto result = listening.get_future();
  thread_ =
      std::thread([this, promise = std::move(listening)]() mutable { run(std::move(promise)); });
  return result.get();
}

void WorkerThread::run(std::promise<Result<void>> listening) {
  std::unique_ptr<Loop> made;
  try {
    made = std::make_unique<Loop>(parts_, settings_, tls_, metrics_);
  } catch (const std::exception& problem) {
    listening.set_value(fail(ErrorCode::unsupported, Blame::local,
                             std::string("a worker cannot be set up: ") + problem.what()));
    return;
  }
  Loop& on_loop = *made;
  auto result = on_loop.listen(addresses_);
  const bool serves = result.has_value();
  running_.with([&](Running& running) { running.loop = serves ? &on_loop : nullptr; });
  listening.set_value(std::move(result));
  if (serves) on_loop.loop.run();
  running_.with([](Running& running) { running.loop = nullptr; });
  on_loop.listeners.clear();
  on_loop.refresher.reset();
  on_loop.fetches.reset();
  on_loop.worker.reset();
  on_loop.cache.abort_all();
}

void WorkerThread::on_loop(Callback<Loop&> task) {
  running_.with([&](Running& running) {
    if (running.loop == nullptr) return;
    running.loop->loop.post(
        [loop = running.loop, task = std::move(task)]() mutable { task(*loop); });
  });
}

void WorkerThread::apply(std::shared_ptr<const Settings> settings,
                         std::shared_ptr<const net::TlsClientContext> tls) {
  on_loop([settings = std::move(settings), tls = std::move(tls)](Loop& loop) {
    loop.transport.set_tls(tls);
    loop.upstream.apply(upstream_settings(*settings));
    if (loop.refresher != nullptr) loop.refresher->apply(settings);
    loop.worker->apply(settings);
  });
}

void WorkerThread::drain(Callback<> done) {
  on_loop([done = std::move(done)](Loop& loop) mutable {
    for (auto& listener : loop.listeners) listener->stop();
    if (loop.refresher != nullptr) loop.refresher->stop();
    loop.renew_timer.reset();
    loop.drained = std::move(done);
    loop.worker->drain([&loop] {
      loop.upstream.close_idle();
      // What was answered is also kept: writes to disk that still wait are done first, but for a
      // disk that hangs.
      if (loop.disk != nullptr) loop.disk->stop_gathering();
      loop.finish_timer = loop.timers.after(kUnwrittenWaitMax, [&loop] { loop.finish(); });
      loop.background.when_idle([&loop] { loop.finish(); });
    });
  });
}

void WorkerThread::run_refresher() {
  on_loop([this](Loop& loop) {
    loop.refresher = std::make_unique<LoopRefresher>(
        LoopRefresher::Parts{.cache = loop.cache,
                             .timers = loop.timers,
                             .background = loop.background,
                             .clock = loop.loop,
                             .log = parts_.log,
                             .evidence = parts_.revocation.evidence(),
                             .state = parts_.revocation.state(),
                             .seed = parts_.hash_seed,
                             .figures = &parts_.revocation.refresh_figures()},
        loop.context.settings);
    loop.refresher->start(parts_.revocation.refresh_records());
  });
}

void WorkerThread::learn(const std::string& url, const revocation::EvidenceDates& dates) {
  on_loop([url, dates](Loop& loop) {
    if (loop.refresher != nullptr) loop.refresher->learn(url, dates);
  });
}

void WorkerThread::refresh_now(std::vector<std::string> urls,
                               Callback<std::vector<std::string>> began, RefreshReported report) {
  on_loop([urls = std::move(urls), began = std::move(began),
           report = std::move(report)](Loop& loop) mutable {
    if (loop.refresher == nullptr) return began({});
    began(begin_refresh(*loop.refresher, std::move(urls), report));
  });
}

void WorkerThread::fetch(pki::HttpQuestion question, Callback<Result<pki::HttpAnswer>> done) {
  on_loop([question = std::move(question), done = std::move(done)](Loop& loop) mutable {
    loop.fetches->start(question, std::move(done));
  });
}

void WorkerThread::count_limit(metrics::Limit limit) {
  on_loop([limit](Loop& loop) { loop.context.metrics.limits_hit[metrics::index(limit)].add(); });
}

void WorkerThread::receive(const revocation::SnapshotPtr& snapshot) {
  on_loop([snapshot](Loop& loop) { loop.snapshot.receive(snapshot); });
}

void WorkerThread::receive(const revocation::ResponderTablePtr& table) {
  on_loop([table](Loop& loop) { loop.responder.apply(table); });
}

void WorkerThread::fence(Callback<> reached) {
  const bool runs = running_.with([&](Running& running) {
    if (running.loop == nullptr) return false;
    running.loop->loop.post(std::move(reached));
    return true;
  });
  if (!runs) reached();
}

void WorkerThread::stop() {
  on_loop([](Loop& loop) { loop.loop.stop(); });
}

}  // namespace revcache::proxy
