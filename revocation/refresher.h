// Renews what is known before anyone waits for it: carries out refresh_schedule.h. Loop thread
// only, on one loop of the process; sees only interfaces, so that it runs in simulation. Memory for
// each known URL: the configured ones and urls_max learned ones. A failed attempt changes nothing
// but when the next one is; each change between working, failing and refused is logged once.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "base/clock.h"
#include "metrics/log.h"
#include "net/timers.h"
#include "revocation/refresh_schedule.h"

namespace revcache::revocation {

enum class RefreshOutcome : std::uint8_t {
  changed,    // a new body, verified and stored
  unchanged,  // 304, or the same bytes
  failed,     // upstream silent, unreachable or in error
  refused,    // it answered, but what it sent is no evidence
};
std::string_view to_string(RefreshOutcome outcome) noexcept;

struct RefreshReport {
  RefreshOutcome outcome = RefreshOutcome::failed;
  std::optional<EvidenceDates> dates;  // of the evidence that is now held for the URL, if any
  std::string detail;                  // why, when it failed or was refused
};

// How the refresher fetches. Fulfilled by the proxy over the cache: a conditional GET, whatever
// max-age says, through the same coalescing, mirrors, access control and admission as a client's.
class RefreshSource {
 public:
  virtual ~RefreshSource() = default;
  // Exactly one call of `done`, later. Ends by itself within upstream.timeout.
  virtual void refresh(const std::string& url, Callback<RefreshReport> done) = 0;
  // Whether a client asked for `url` since the last call of this for the same URL. Cheap.
  virtual bool was_asked_for(const std::string& url) = 0;
};

// Where what is known of a URL outlives a restart. Calls return at once; losing the last seconds is
// harmless.
class RefreshMemory {
 public:
  virtual ~RefreshMemory() = default;
  virtual void put(const std::string& url, std::string record) = 0;
  virtual void erase(const std::string& url) = 0;
};

class Refresher {
 public:
  struct Options {
    std::chrono::seconds interval{900};     // refresh.interval
    std::chrono::seconds keep{30 * 86400};  // refresh.keep
    std::size_t urls_max = 4096;            // learned ones; configured ones always fit
    std::size_t concurrent_per_host_max = 2;
    std::size_t concurrent_max = 8;
    // A source that breaks its promise to end is given up after this: above upstream.timeout.
    std::chrono::milliseconds attempt_time_max{120'000};
  };
  struct Parts {
    RefreshSource& source;
    RefreshMemory& memory;
    net::Timers& timers;
    const Clock& clock;
    metrics::Log& log;
    std::uint64_t seed;  // of the jitter
  };

  // One URL as status, metrics and `revcache refresh` see it.
  struct UrlState {
    std::string url;
    bool configured = false;
    std::optional<EvidenceDates> dates;
    std::optional<WallTime> last_attempt;
    std::optional<WallTime> last_success;
    WallTime next_attempt;
    RefreshOutcome last_outcome = RefreshOutcome::failed;
    std::uint32_t consecutive_failures = 0;
    std::string last_detail;
  };

  Refresher(Parts parts, Options options);
  ~Refresher();  // nothing is called any more
  Refresher(const Refresher&) = delete;
  Refresher& operator=(const Refresher&) = delete;

  // `records`: what RefreshMemory kept, (url, record); damaged ones are dropped and logged.
  // Attempts that fell due while the process was down are spread over the interval: no burst.
  void start(const std::vector<std::string>& configured_urls,
             const std::vector<std::pair<std::string, std::string>>& records);
  // After a reload.
  void configure(Options options, const std::vector<std::string>& configured_urls);
  // A client's fetch gave verified evidence under this URL: known from now on. False when urls_max
  // is reached (counted, and logged once until there is room again) or stop() was called.
  bool learn(const std::string& url, const EvidenceDates& dates);
  // `revcache refresh`: at once, also when one is not due. `done` gets the report; nullptr allowed.
  // False, and `done` is dropped, when the URL is not known or stop() was called.
  bool refresh_now(const std::string& url, Callback<RefreshReport> done);
  // No new attempts; those under way end by themselves. Who waits for one that had not begun is
  // told that it failed.
  void stop();

  [[nodiscard]] std::vector<UrlState> states() const;  // by URL
  [[nodiscard]] bool knows(std::string_view url) const;
  [[nodiscard]] std::uint64_t learn_refusals() const;  // by urls_max, since the start

 private:
  class State;
  std::shared_ptr<State> state_;  // shared with a call of it that is under way
};

}  // namespace revcache::revocation
