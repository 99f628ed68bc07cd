#include "proxy/server.h"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/random_seed.h"
#include "cache/disk_tier.h"
#include "cache/http_cache.h"
#include "config/command_line.h"
#include "metrics/collector.h"
#include "metrics/spdlog_log.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/notify_socket.h"
#include "net/signals.h"
#include "net/uv_background_work.h"
#include "net/uv_timers.h"
#include "proxy/admin_port.h"
#include "proxy/cache_figures.h"
#include "proxy/connection_limits.h"
#include "proxy/latency_sampler.h"
#include "proxy/make_settings.h"
#include "proxy/process_setup.h"
#include "proxy/reload.h"
#include "proxy/request_log_lines.h"
#include "proxy/responder_figures.h"
#include "proxy/responder_parts.h"
#include "proxy/revocation_figures.h"
#include "proxy/revocation_parts.h"
#include "proxy/status_report.h"
#include "proxy/worker_thread.h"

namespace revcache::proxy {
namespace {

constexpr std::chrono::milliseconds kLoopsKnowWaitMax{100};

}  // namespace

// Members in order of dependence: destroyed from the last to the first.
class Server {
 public:
  Server(config::Config config, const config::Source& source,
         std::unique_ptr<metrics::SpdlogLog> log);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  ~Server() { stop_workers(); }

  Result<void> start();
  int run();

 private:
  Result<std::vector<SocketAddress>> claim_addresses();
  void open_disk();
  Result<void> open_revocation(const Settings& settings);
  void sample_clock();
  void watch_signers();
  [[nodiscard]] std::vector<std::string> not_ready(const config::Config& config);
  Result<void> open_admin();
  Result<void> start_workers(const LoadedSettings& loaded);
  void stop_workers();
  void watch_signals();
  void reload();
  void on_reloaded(std::expected<LoadedSettings, std::string> loaded);
  void terminate();
  [[nodiscard]] const config::Config& config() const { return *settings_->config; }

  SystemClock clock_;
  config::Source source_;
  std::unique_ptr<metrics::SpdlogLog> log_;
  config::Config initial_;
  std::uint64_t seed_ = draw_random_seed();
  metrics::LoopLagHistogram loop_lag_;
  net::EventLoop loop_{&loop_lag_};
  net::UvTimers timers_{loop_};
  net::WorkLimits work_limits_;
  net::NotifySocket notify_;
  metrics::MetricsCollector collector_;
  cache::SharedCache cache_;
  std::shared_ptr<cache::DiskStore> disk_;
  std::unique_ptr<RevocationParts> revocation_;
  std::unique_ptr<ResponderParts> responder_;
  ConnectionLimits connection_limits_;
  std::vector<SocketAddress> listeners_;
  std::shared_ptr<const Settings> settings_;
  std::vector<std::unique_ptr<WorkerThread>> workers_;
  std::unique_ptr<LatencySampler> latency_;  // from start()
  std::atomic<bool> terminating_ = false;
  std::atomic<bool> loops_know_ = false;                   // what made it ready
  net::UvBackgroundWork background_{loop_, work_limits_};  // its work uses what is above
  std::unique_ptr<AdminPort> admin_;
  std::unique_ptr<net::Timer> clock_timer_;
  std::unique_ptr<net::Timer> signer_timer_;
  std::vector<std::unique_ptr<net::SignalWatcher>> signals_;
  std::size_t draining_ = 0;
  bool reloading_ = false;
};

Server::Server(config::Config config, const config::Source& source,
               std::unique_ptr<metrics::SpdlogLog> log)
    : source_(source),
      log_(std::move(log)),
      initial_(std::move(config)),
      work_limits_(work_options(initial_.limits)),
      notify_(notify_address()),
      collector_({.version = std::string(config::version()), .revision = {}}),
      cache_(initial_.cache, seed_) {}

// Looks at each address without SO_REUSEPORT: another server on it must be an error, not a silent
// sharing of its clients. Also finds the port where 0 was configured.
Result<std::vector<SocketAddress>> Server::claim_addresses() {
  std::vector<SocketAddress> claimed;
  for (const auto& address : initial_.listen.proxy) {
    auto free = net::Listener::free_address(address);
    if (!free) return fail(std::move(free));
    claimed.push_back(*free);
  }
  return claimed;
}

void Server::open_disk() {
  if (initial_.cache.disk_bytes == 0) return;
  const auto& directory = initial_.cache.directory;
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  auto opened = cache::DiskStore::open(
      {.directory = directory, .bytes_max = initial_.cache.disk_bytes, .purges = &cache_.purges},
      clock_, *log_);
  if (opened) {
    disk_ = std::move(*opened);
    return;
  }
  log_->error("no disk cache", {{"directory", directory}, {"error", opened.error().detail}});
}

Result<void> Server::start() {
  auto claimed = claim_addresses();
  if (!claimed) return fail(std::move(claimed));
  listeners_ = *claimed;
  auto guarded = listeners_;
  guarded.push_back(initial_.listen.admin);
  auto loaded = make_settings(initial_, guarded);
  if (!loaded) return fail(std::move(loaded));
  open_disk();
  if (auto opened = open_revocation(*loaded->settings); !opened) return opened;
  if (auto started = start_workers(*loaded); !started) return started;
  workers_.front()->run_refresher();
  revocation_->on_learned(
      [to = workers_.front().get()](const auto& url, const auto& dates) { to->learn(url, dates); });

  collector_.add_loop_lag("main", &loop_lag_);
  collector_.set_upstream_labels(settings_->access->upstream_labels());
  collector_.set_cache_source([this] { return cache_figures(cache_, disk_.get()); });
  collector_.add_source([this] { return work_families(work_limits_); });
  collector_.add_source([this] { return revocation_->counters().families(); });
  collector_.add_source([this] { return revocation_families(*revocation_, clock_.wall()); });
  collector_.set_responder_labels(responder_labels(*responder_->table()));
  collector_.add_source([this] { return signer_families(responder_->signers()); });
  collector_.set_last_reload(true, clock_.wall());
  latency_ = std::make_unique<LatencySampler>(timers_, collector_, clock_);
  return open_admin();
}

// Evidence that the last life left on disk counts before the first request is taken.
Result<void> Server::open_revocation(const Settings& settings) {
  revocation_ = std::make_unique<RevocationParts>(*settings.config, seed_, clock_, *log_);
  if (auto applied = revocation_->apply(settings); !applied) return applied;
  revocation_->restore(settings, disk_.get());
  sample_clock();
  responder_ = std::make_unique<ResponderParts>(*revocation_, cache_.memory, *settings.config,
                                                seed_, clock_, *log_);
  if (auto applied = responder_->apply(settings); !applied) return applied;
  watch_signers();
  return {};
}

void Server::watch_signers() {
  signer_timer_ = timers_.after(std::chrono::seconds(10), [this] {
    const bool submitted =
        background_.submit(net::WorkKind::disk, [this] { responder_->look_again(); }, [] {});
    if (!submitted) log_->debug("the signers were not looked at: the disk queue is full");
    watch_signers();
  });
}

// Once a minute the clock's durable lower bound follows the clock.
void Server::sample_clock() {
  clock_timer_ = timers_.after(std::chrono::minutes(1), [this] { sample_clock(); });
  const bool submitted =
      background_.submit(net::WorkKind::disk, [this] { revocation_->sample_clock(); }, [] {});
  if (!submitted) log_->debug("the clock was not sampled: the disk queue is full");
}

// What is ready to serve, or why not: in words, for /readyz. Whoever reads "ready" may ask any
// loop. Any thread but a worker's.
std::vector<std::string> Server::not_ready(const config::Config& config) {
  if (terminating_) return {"draining"};
  auto missing = revocation_->not_ready(config);
  if (!missing.empty()) {
    loops_know_ = false;
  } else if (!loops_know_) {
    loops_know_ = revocation_->loops_behind(kLoopsKnowWaitMax) == 0;
    if (!loops_know_) missing.emplace_back("an event loop has not taken what is known yet");
  }
  return missing;
}

Result<void> Server::open_admin() {
  const StatusSources sources{
      .revocation = *revocation_,
      .signers = responder_->signers(),
      .clock = clock_,
      .started_at = clock_.wall(),
      .metrics = [this] { return collector_.Collect(); },
      .latency = [this] { return latency_->windows(); },
      .waiting_for = [this](const config::Config& config) { return not_ready(config); }};
  auto opened =
      AdminPort::open({loop_, timers_, background_, clock_, *log_, *revocation_, *workers_.front(),
                       cache_, disk_.get(), seed_, [this] { return responder_->table(); },
                       [sources](const auto& config) { return status_report(sources, config); }},
                      settings_->config,
                      {.metrics_text = [this] { return metrics::to_text(collector_.Collect()); },
                       .not_ready = [this] { return not_ready(config()); }});
  if (!opened) return fail(std::move(opened));
  admin_ = std::move(*opened);
  return {};
}

Result<void> Server::start_workers(const LoadedSettings& loaded) {
  settings_ = loaded.settings;
  const SharedParts parts{
      .clock = clock_,
      .log = *log_,
      .cache = cache_,
      .disk = disk_,
      .work_limits = work_limits_,
      .revocation = *revocation_,
      .responder = *responder_,
      .connection_limits = connection_limits_,
      .instance_id = instance_id(draw_random_seed()),
      .hash_seed = seed_,
      .make_request_log = [this](metrics::LoopMetrics& metrics, const Clock& clock) {
        return std::make_unique<RequestLogLines>(*log_, initial_.log.access, metrics, clock);
      }};
  const auto count = worker_count(initial_.listen.workers);
  for (unsigned i = 0; i < count; ++i) {
    auto worker = std::make_unique<WorkerThread>(parts, settings_, loaded.tls, listeners_);
    if (auto started = worker->start(); !started) return started;
    collector_.add_loop(&worker->metrics());
    collector_.add_loop_lag("worker" + std::to_string(workers_.size()),
                            &worker->metrics().loop_lag);
    revocation_->publisher().subscribe(
        [to = worker.get()](const auto& snapshot) { to->receive(snapshot); },
        [to = worker.get()](Callback<> reached) { to->fence(std::move(reached)); });
    responder_->subscribe([to = worker.get()](const auto& table) { to->receive(table); });
    workers_.push_back(std::move(worker));
  }
  return {};
}

int Server::run() {
  watch_signals();
  for (const auto& listener : listeners_) {
    const auto text = listener.to_string();
    log_->info("serving", {{"address", text},
                           {"workers", static_cast<std::int64_t>(workers_.size())},
                           {"version", config::version()}});
  }
  const auto admin = admin_->local_address().to_string();
  log_->info("admin port", {{"address", admin}});
  log_rules(config(), *log_);
  static_cast<void>(notify_.ready());
  loop_.run();
  stop_workers();
  log_->info("stopped");
  log_->flush();
  return config::kExitOk;
}

void Server::stop_workers() {
  // A body that is still being judged tells nobody any more.
  if (revocation_ != nullptr) revocation_->detach();
  if (responder_ != nullptr) responder_->detach();
  if (admin_ != nullptr) admin_->stop();
  background_.abandon();  // a report that is being written reads the workers' counters
  workers_.clear();
}

void Server::watch_signals() {
  const auto watch = [this](int number, void (Server::*handler)()) {
    signals_.push_back(std::make_unique<net::SignalWatcher>(
        loop_, number, [this, handler] { (this->*handler)(); }));
  };
  watch(SIGHUP, &Server::reload);
  watch(SIGTERM, &Server::terminate);
  watch(SIGINT, &Server::terminate);
}

void Server::reload() {
  if (reloading_ || terminating_) return;
  reloading_ = true;
  static_cast<void>(notify_.reloading(clock_.monotonic()));
  auto result = std::make_shared<std::expected<LoadedSettings, std::string>>();
  auto guarded = listeners_;
  guarded.push_back(initial_.listen.admin);
  const bool submitted = background_.submit(
      net::WorkKind::parse,
      [this, result, source = source_, guarded] {
        *result = load_again(source, guarded, *responder_, *revocation_);
      },
      [this, result] { on_reloaded(std::move(*result)); });
  if (!submitted) on_reloaded(std::unexpected("too much work is waiting; try again"));
}

void Server::on_reloaded(std::expected<LoadedSettings, std::string> loaded) {
  reloading_ = false;
  collector_.set_last_reload(loaded.has_value(), clock_.wall());
  static_cast<void>(notify_.ready());
  if (!loaded) {
    log_->error("reload failed, the old settings stay", {{"error", loaded.error()}});
    return;
  }
  settings_ = loaded->settings;
  if (auto applied = log_->apply(config().log); !applied) {
    log_->error("log settings not applied", {{"error", applied.error().detail}});
  }
  log_what_needs_a_restart(initial_, config(), *log_);
  if (auto applied = admin_->apply(settings_->config); !applied) {
    log_->error("admin settings not applied", {{"error", applied.error().detail}});
  }
  for (auto& worker : workers_) worker->apply(settings_, loaded->tls);
  collector_.set_upstream_labels(settings_->access->upstream_labels());
  collector_.set_responder_labels(responder_labels(*responder_->table()));
  log_->info("reloaded");
}

void Server::terminate() {
  if (terminating_.exchange(true)) {
    log_->warning("stopping at once");
    return loop_.stop();
  }
  log_->info("draining");
  admin_->drain();
  static_cast<void>(notify_.stopping());
  draining_ = workers_.size();
  for (auto& worker : workers_) {
    worker->drain([this] {
      loop_.post([this] {
        if (--draining_ == 0) loop_.stop();
      });
    });
  }
}

int serve(config::Config config, const config::Source& source) {
  raise_descriptor_limit();
  net::size_thread_pool(config.limits.background_threads);
  static const SystemClock clock;
  auto log = metrics::make_log(config.log, clock);
  if (!log) {
    std::fprintf(stderr, "revcache: %s\n", log.error().detail.c_str());
    return config::kExitUsage;
  }
  Server server(std::move(config), source, std::move(*log));
  if (auto started = server.start(); !started) {
    std::fprintf(stderr, "revcache: %s\n", started.error().detail.c_str());
    return config::kExitUsage;
  }
  return server.run();
}

}  // namespace revcache::proxy
