// What carries out the contract of refresher.h: the known URLs in order of their next attempts, one
// timer for all of them, and the fetches under way. Loop thread only; kept alive by Refresher, and
// for the length of a call by the call.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "revocation/refresher.h"
#include "revocation/refresher_queue.h"
#include "revocation/refresher_url.h"

namespace revcache::revocation {

class Refresher::State : public std::enable_shared_from_this<State> {
 public:
  State(Parts parts, Options options);

  void start(const std::vector<std::string>& configured_urls,
             const std::vector<std::pair<std::string, std::string>>& records);
  void configure(Options options, const std::vector<std::string>& configured_urls);
  bool learn(const std::string& url, const EvidenceDates& dates);
  bool refresh_now(const std::string& url, Callback<RefreshReport> done);
  void stop();
  void close();  // the Refresher is gone: calls nobody any more

  [[nodiscard]] std::vector<UrlState> states() const;
  [[nodiscard]] bool knows(std::string_view url) const { return known_.contains(url); }
  [[nodiscard]] std::uint64_t learn_refusals() const noexcept { return learn_refusals_; }

 private:
  using Callbacks = std::vector<Callback<RefreshReport>>;
  using Due = std::pair<MonotonicTime, std::uint64_t>;  // the number keeps the order of equals
  enum class Stage : std::uint8_t { waiting, queued, under_way };

  struct Known {
    RefresherUrl url;
    std::string host;
    bool configured = false;
    Stage stage = Stage::waiting;
    Due due{};                                            // while waiting; number 0: not in line
    RefreshPriority priority = RefreshPriority::regular;  // while queued
    std::uint64_t attempt = 0;                            // while under way
    Callbacks asked;                                      // while queued
  };
  using KnownUrls = std::map<std::string, Known, std::less<>>;

  struct Attempt {
    std::string url;
    std::string host;
    MonotonicTime begun;
    Callbacks asked;
  };

  KnownUrls::iterator add(const std::string& url, RefresherUrl known);
  void drop(KnownUrls::iterator known, std::string_view why);
  void keep_latest_asked();
  void restore(const std::vector<std::pair<std::string, std::string>>& records);
  void apply_configured(const std::vector<std::string>& urls);

  void plan(KnownUrls::iterator known);
  void plan_all();
  void put_in_line(KnownUrls::iterator known, MonotonicTime at);
  void take_out_of_line(Known& known);
  void enqueue(KnownUrls::iterator known, RefreshPriority priority);

  void wake();
  void notice_clock_step();
  void enqueue_due();
  void end_overdue();
  void begin_what_may();
  void begin(const RefresherQueue::Turn& turn);
  void end(std::uint64_t attempt, RefreshReport report);
  void note(KnownUrls::iterator known, const RefreshReport& report, WallTime begun);
  void tell(const std::string& url, RefresherUrl& known, RefreshCondition before);
  void remember(const std::string& url, const RefresherUrl& known);

  void arm();
  [[nodiscard]] MonotonicTime next_wake() const;
  void answer_later(Callbacks callbacks, std::string_view why);
  void answer_refused();
  double jitter() { return std::uniform_real_distribution<>(0, 1)(random_); }

  Parts parts_;
  Options options_;
  std::mt19937_64 random_;
  KnownUrls known_;
  std::size_t learned_ = 0;
  std::map<Due, KnownUrls::iterator> line_;
  std::uint64_t last_number_ = 0;
  RefresherQueue queue_;
  std::map<std::uint64_t, Attempt> under_way_;
  std::uint64_t last_attempt_ = 0;
  std::chrono::nanoseconds clock_offset_;  // wall minus monotonic, when last looked at
  MonotonicTime armed_for_;
  std::unique_ptr<net::Timer> timer_;
  std::vector<std::pair<Callback<RefreshReport>, std::string>> refused_;  // and why
  std::unique_ptr<net::Timer> refused_timer_;
  std::uint64_t learn_refusals_ = 0;
  bool full_told_ = false;
  bool stopping_ = false;
  bool closed_ = false;  // what parts_ refers to may be gone
};

}  // namespace revcache::revocation
