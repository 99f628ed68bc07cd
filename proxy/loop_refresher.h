// The refresher on its loop: fetches through that loop's cache as a client would, so that what it
// gets is coalesced, checked by access control, verified and stored like everything else.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/callback.h"
#include "base/clock.h"
#include "cache/http_cache.h"
#include "metrics/log.h"
#include "net/background_work.h"
#include "net/timers.h"
#include "proxy/refresh_figures.h"
#include "proxy/settings.h"
#include "revocation/evidence.h"
#include "revocation/refresher.h"
#include "revocation/state_store.h"

namespace revcache::proxy {

// Loop thread only; what the parts refer to outlives it.
class LoopRefresher final : private revocation::RefreshSource, private revocation::RefreshMemory {
 public:
  struct Parts {
    cache::HttpCache& cache;
    net::Timers& timers;
    net::BackgroundWork& background;
    const Clock& clock;
    metrics::Log& log;
    revocation::Evidence& evidence;
    revocation::StateStore& state;
    std::uint64_t seed;
    RefreshFigures* figures = nullptr;  // null: nobody looks
  };

  LoopRefresher(const Parts& parts, std::shared_ptr<const Settings> settings);
  LoopRefresher(const LoopRefresher&) = delete;
  LoopRefresher& operator=(const LoopRefresher&) = delete;
  ~LoopRefresher() override;

  // `records`: what an earlier life kept. URLs without evidence are fetched first.
  void start(const std::vector<std::pair<std::string, std::string>>& records);
  void apply(std::shared_ptr<const Settings> settings);
  // A client's fetch gave verified evidence under this URL.
  void learn(const std::string& url, const revocation::EvidenceDates& dates);
  // False, and `done` is dropped, when the URL is not known.
  bool refresh_now(const std::string& url, Callback<revocation::RefreshReport> done);
  // No new attempts.
  void stop();
  [[nodiscard]] std::vector<revocation::Refresher::UrlState> states() const;

 private:
  class Attempt;

  void refresh(const std::string& url, Callback<revocation::RefreshReport> done) override;
  bool was_asked_for(const std::string& url) override;
  void put(const std::string& url, std::string record) override;
  void erase(const std::string& url) override;

  void end(Attempt& attempt, revocation::RefreshReport report);
  [[nodiscard]] std::vector<std::string> configured_urls() const;
  [[nodiscard]] revocation::Refresher::Options options() const;
  void count(const std::string& url, revocation::RefreshOutcome outcome);
  void tell_figures();

  Parts parts_;
  std::shared_ptr<const Settings> settings_;
  std::unordered_map<Attempt*, std::unique_ptr<Attempt>> attempts_;
  revocation::Refresher refresher_;
  std::unique_ptr<net::Timer> figures_timer_;
  bool figures_due_ = false;
};

}  // namespace revcache::proxy
