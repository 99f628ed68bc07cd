// A refresher in virtual time: its source, memory and log are these fakes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "metrics/log.h"
#include "revocation/refresher.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_scheduler.h"

namespace revcache::revocation {

inline std::string host_in(const std::string& url) {
  const auto begin = url.find("//") + 2;
  return url.substr(begin, url.find('/', begin) - begin);
}

// Answers by `behave`; nullopt: never. Counts what is under way.
class FakeSource final : public RefreshSource {
 public:
  struct Answer {
    std::chrono::nanoseconds after{std::chrono::milliseconds(40)};
    RefreshReport report;
  };
  using Behaviour = std::function<std::optional<Answer>(const std::string& url)>;
  struct Asked {
    std::string url;
    MonotonicTime at;
  };

  explicit FakeSource(sim::SimScheduler& scheduler) : scheduler_(scheduler) {}

  void refresh(const std::string& url, Callback<RefreshReport> done) override {
    asked.push_back({url, scheduler_.monotonic()});
    begin(host_in(url));
    auto answer = behave(url);
    if (!answer) {
      never_.push_back(std::move(done));
      return;
    }
    scheduler_.after(answer->after, [this, url, done = std::move(done),
                                     report = std::move(answer->report)]() mutable {
      end(host_in(url));
      done(std::move(report));
    });
  }
  bool was_asked_for(const std::string& url) override {
    return always_asked || asked_by_clients.erase(url) > 0;
  }

  [[nodiscard]] std::size_t count(const std::string& url) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(asked, [&](const Asked& attempt) { return attempt.url == url; }));
  }

  Behaviour behave;
  std::vector<Asked> asked;
  std::set<std::string> asked_by_clients;
  bool always_asked = true;
  std::size_t most_at_once = 0;
  std::size_t most_at_one_host = 0;

 private:
  void begin(const std::string& host) {
    most_at_once = std::max(most_at_once, ++under_way_);
    most_at_one_host = std::max(most_at_one_host, ++by_host_[host]);
  }
  void end(const std::string& host) {
    --under_way_;
    --by_host_[host];
  }

  sim::SimScheduler& scheduler_;
  std::vector<Callback<RefreshReport>> never_;
  std::size_t under_way_ = 0;
  std::map<std::string, std::size_t> by_host_;
};

class FakeMemory final : public RefreshMemory {
 public:
  void put(const std::string& url, std::string record) override {
    records[url] = std::move(record);
  }
  void erase(const std::string& url) override { records.erase(url); }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> all() const {
    return {records.begin(), records.end()};
  }
  std::map<std::string, std::string> records;
};

// Events by their phrase.
class EventLog final : public metrics::Log {
 public:
  void write(metrics::LogLevel level, std::string_view event,
             std::initializer_list<metrics::LogField> fields) override {
    (void)fields;
    if (level != metrics::LogLevel::debug) ++counts[std::string(event)];
  }
  std::map<std::string, std::size_t> counts;
};

struct RefreshWorld {
  explicit RefreshWorld(std::uint64_t seed = 1) : scheduler(seed) {
    source.behave = [this](const std::string&) { return working(); };
  }

  // Ends the refresher and begins another one on the same memory, as a restart does.
  void boot(const std::vector<std::string>& configured) {
    refresher.reset();
    refresher = std::make_unique<Refresher>(
        Refresher::Parts{source, memory, timers, scheduler, log, scheduler.seed() + ++boots},
        options);
    refresher->start(configured, memory.all());
  }

  [[nodiscard]] EvidenceDates dates(std::chrono::seconds life = std::chrono::days(7)) const {
    const auto now = std::chrono::floor<std::chrono::seconds>(scheduler.wall());
    return {.this_update = now, .next_update = now + life, .next_publish = std::nullopt};
  }
  [[nodiscard]] FakeSource::Answer working() const {
    return {.report = {.outcome = RefreshOutcome::changed, .dates = dates(), .detail = {}}};
  }
  [[nodiscard]] static FakeSource::Answer failing(
      std::chrono::nanoseconds after = std::chrono::seconds(15)) {
    return {
        .after = after,
        .report = {
            .outcome = RefreshOutcome::failed, .dates = std::nullopt, .detail = "upstream silent"}};
  }
  [[nodiscard]] Refresher::UrlState state(const std::string& url) const {
    for (auto& state : refresher->states()) {
      if (state.url == url) return state;
    }
    return {};
  }

  sim::SimScheduler scheduler;
  sim::SimTimers timers{scheduler};
  FakeSource source{scheduler};
  FakeMemory memory;
  EventLog log;
  Refresher::Options options;
  std::uint64_t boots = 0;
  std::unique_ptr<Refresher> refresher;
};

}  // namespace revcache::revocation
