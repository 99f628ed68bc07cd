// The open loop: sends each request when it is due, whatever became of those before, and measures
// from then. One thread, one libuv loop; run() returns when all answers are there or given up.
//
// Bounds: `connections` of each load, kWaitingMax arrivals that wait for a connection, and what
// Results and Catalogue hold. A request that is due while the generator is busy is sent as soon as
// it can be; how late is in Results::lag.
#pragma once

#include <uv.h>

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/generator/arrivals.h"
#include "bench/generator/catalogue.h"
#include "bench/generator/connection.h"
#include "bench/generator/results.h"
#include "bench/generator/scenario.h"
#include "net/uv_handle.h"

namespace revcache::bench {

inline constexpr std::size_t kWaitingMax = 100'000;

// How the run stands, once a second.
struct Progress {
  std::chrono::nanoseconds elapsed{0};
  std::uint64_t arrivals = 0;
  std::uint64_t failed = 0;
  std::uint64_t in_flight = 0;
  Histogram latency;  // of the last second
};

struct GeneratorOptions {
  Route route;
  bool spin = false;  // never sleep: no wake-up delay in the latencies, one core fully used
  std::function<void(const Progress&)> progress;
};

class Generator final : private ConnectionOwner {
 public:
  // `scenario` must outlive it. Fails when an address cannot be resolved or a file not be read.
  static std::expected<std::unique_ptr<Generator>, std::string> open(const Scenario& scenario,
                                                                     GeneratorOptions options);
  ~Generator();
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  // Once.
  Results run();

 private:
  using Nanos = std::uint64_t;  // of uv_hrtime

  // One arrival under way.
  struct Ask {
    std::size_t load = 0;
    std::size_t step = 0;
    Nanos due = 0;
    Nanos step_due = 0;
    std::uint64_t variant = 0;
    std::uint32_t client = 0;
    std::uint32_t version = kNoVersion;  // what a condition was made of
    bool retried = false;
    bool waited = false;
  };
  struct Link {
    Link(uv_loop_t& loop, std::string& buffer, ConnectionOwner& owner)
        : connection(loop, buffer, owner) {}
    Connection connection;
    Ask ask;
    std::size_t load = 0;
    std::size_t address = 0;
    bool idle = false;
  };
  // What one of a load's clients keeps of one step.
  struct Kept {
    Nanos until = 0;
    std::uint32_t version = kNoVersion;
  };
  struct LoadState {
    LoadState(const Load& plan, std::uint64_t seed);
    const Load* plan;
    Arrivals arrivals;
    Random random;
    std::optional<std::chrono::nanoseconds> next;
    std::deque<Ask> waiting;
    std::vector<Link*> idle;
    std::size_t open = 0;
    std::vector<Kept> kept;
  };

  Generator(const Scenario& scenario, GeneratorOptions options, Catalogue catalogue);

  std::string resolve_all();
  void prepare_results();
  void start_handles();
  void arm();
  void issue_due();
  void begin(std::size_t load);
  void start_step(const Ask& ask);
  bool answered_by_client_cache(const Ask& ask);
  void send(Ask ask, bool fresh_connection);
  Link* connection_for(std::size_t load, std::size_t address, bool fresh_connection);
  void on_ended(Connection& connection, Outcome outcome) override;
  Outcome verdict(const Ask& ask, const Answer& answer, std::uint32_t& version);
  void step_done(Ask ask, std::uint32_t version);
  void finish(const Ask& ask, Outcome outcome);
  void release(Link* link, bool keep);
  void drop(Link* link);
  void start_waiting(std::size_t load);
  void give_up_late();
  void report_progress();
  void stop_when_done();
  void count_answer(const Ask& ask, const Answer& answer, Nanos written_at);
  Slot& slot_of(const Ask& ask);
  Wanted wanted(const Ask& ask) const;

  const Scenario& scenario_;
  GeneratorOptions options_;
  Catalogue catalogue_;
  Results results_;
  uv_loop_t loop_{};
  std::string buffer_;
  std::vector<sockaddr_storage> peers_;
  std::vector<std::size_t> address_of_object_;
  std::deque<LoadState> loads_;
  std::unordered_map<Connection*, std::unique_ptr<Link>> links_;
  net::UvHandle<uv_poll_t> due_;
  net::UvHandle<uv_timer_t> sweep_;
  net::UvHandle<uv_timer_t> second_;
  net::UvHandle<uv_idle_t> spin_;
  net::UvHandle<uv_signal_t> interrupt_;
  int timer_descriptor_ = -1;
  Nanos started_ = 0;
  std::uint64_t in_flight_ = 0;  // arrivals
  Progress progress_;
};

}  // namespace revcache::bench
