// What the metrics say, read back for the status report: the sums over loops and the names of their
// labels are made in one place. Pure.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "admin/status.h"

namespace revcache::proxy {

class StatusFigures {
 public:
  explicit StatusFigures(std::vector<prometheus::MetricFamily> families)
      : families_(std::move(families)) {}

  // Of the series of a gauge or counter that have this label; an empty label: of all. 0 where there
  // are none.
  [[nodiscard]] std::uint64_t sum(std::string_view family, std::string_view label = {},
                                  std::string_view value = {}) const;
  // By the label `upstream`, in the order of the metrics.
  [[nodiscard]] std::vector<admin::UpstreamStatus> upstreams() const;
  [[nodiscard]] admin::TierStatus tier(std::string_view name, std::uint64_t bytes_max) const;

 private:
  [[nodiscard]] const prometheus::MetricFamily* find(std::string_view family) const;

  std::vector<prometheus::MetricFamily> families_;
};

// Interpolated within its bucket; of what is above the last bound, that bound. nullopt: nothing was
// observed.
std::optional<double> quantile(const prometheus::ClientMetric::Histogram& histogram, double share);

}  // namespace revcache::proxy
