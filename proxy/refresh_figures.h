// What the refresher did and is about to do, for whoever scrapes. Written on the refresher's loop,
// read on the scraping thread. Bounded by the URLs that the refresher knows and by the authorities.
#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "revocation/refresher.h"
#include "revocation/snapshot.h"

namespace revcache::proxy {

// By authority; of URLs that are nobody's (refresh.urls without evidence): "other". Thread-safe.
class RefreshFigures {
 public:
  using UrlStates = std::vector<revocation::Refresher::UrlState>;
  using AuthorityByUrl = std::map<std::string, std::string, std::less<>>;

  // At start and after each reload: the authorities' configured CRLs.
  void configure(AuthorityByUrl configured);
  // One attempt ended.
  void count(std::string_view url, revocation::RefreshOutcome outcome,
             const revocation::Snapshot& known);
  void publish(UrlStates states);

  // As of the last publish(); never null.
  [[nodiscard]] std::shared_ptr<const UrlStates> states() const;
  // revcache_prefetch_*.
  [[nodiscard]] std::vector<prometheus::MetricFamily> families(
      const revocation::Snapshot& known) const;

 private:
  static constexpr std::size_t kOutcomes = 4;  // of RefreshOutcome

  struct State {
    AuthorityByUrl configured;
    std::map<std::string, std::array<std::uint64_t, kOutcomes>, std::less<>> runs;  // by authority
    std::shared_ptr<const UrlStates> states = std::make_shared<const UrlStates>();
  };
  Guarded<State> state_;
};

}  // namespace revcache::proxy
