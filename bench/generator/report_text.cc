#include <algorithm>
#include <cstdio>

#include "bench/generator/report.h"

namespace revcache::bench {
namespace {

constexpr std::size_t kNameWidth = 18;
constexpr std::size_t kCellWidth = 11;
constexpr std::size_t kBodiesShown = 8;

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string cell(const std::string& text) {
  return text.size() < kCellWidth ? std::string(kCellWidth - text.size(), ' ') + text : text;
}

std::string heading() {
  std::string line = padded("", kNameWidth) + cell("arrivals") + cell("failed") + cell("mean");
  for (const Percentile& percentile : kPercentiles)
    line += cell(std::string("p").append(percentile.name));
  return line + cell("max") + '\n';
}

std::string latencies(const std::string& name, const Histogram& histogram, std::uint64_t arrivals,
                      std::uint64_t failed) {
  std::string line = padded(name, kNameWidth) + cell(number_text(arrivals)) +
                     cell(number_text(failed)) + cell(duration_text(histogram.mean()));
  for (const Percentile& percentile : kPercentiles) {
    line += cell(duration_text(histogram.quantile(percentile.fraction)));
  }
  return line + cell(duration_text(histogram.max())) + '\n';
}

template <std::size_t Size>
std::string counts(const std::array<std::uint64_t, Size>& all,
                   const std::array<std::string_view, Size>& names) {
  std::string text;
  for (std::size_t at = 0; at < Size; ++at) {
    if (all[at] == 0) continue;
    if (!text.empty()) text += ", ";
    text += std::string(names[at]) + ' ' + number_text(all[at]);
  }
  return text.empty() ? "nothing" : text;
}

std::string statuses(const LoadResult& load) {
  std::string text;
  for (std::size_t status = 0; status < kStatuses; ++status) {
    if (load.statuses[status] == 0) continue;
    if (!text.empty()) text += ", ";
    text += std::to_string(status) + ' ' + number_text(load.statuses[status]);
  }
  return text.empty() ? "none" : text;
}

std::string bodies(const Results& results) {
  std::string text;
  for (const ObjectResult& object : results.objects) {
    if (object.bodies.size() < 2) continue;
    text +=
        object.name + " was given out in " + std::to_string(object.bodies.size()) + " versions:";
    for (std::size_t at = 0; at < std::min(kBodiesShown, object.bodies.size()); ++at) {
      text += (at == 0 ? " " : ", ") + number_text(object.bodies[at].answers);
    }
    text += object.bodies.size() > kBodiesShown ? ", …\n" : " times\n";
  }
  return text;
}

}  // namespace

std::string duration_text(std::chrono::nanoseconds time) {
  char text[32];
  const auto count = static_cast<double>(time.count());
  if (count < 1e6) {
    std::snprintf(text, sizeof(text), "%.1f us", count / 1e3);
  } else if (count < 1e9) {
    std::snprintf(text, sizeof(text), "%.2f ms", count / 1e6);
  } else {
    std::snprintf(text, sizeof(text), "%.2f s", count / 1e9);
  }
  return text;
}

std::string number_text(std::uint64_t number) {
  constexpr std::size_t kGroup = 3;
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t at = 0; at < digits.size(); ++at) {
    if (at > 0 && (digits.size() - at) % kGroup == 0) text += ',';
    text += digits[at];
  }
  return text;
}

std::string text_report(const Results& results) {
  std::string text = results.scenario + ", " + results.target + ", " + duration_text(results.took) +
                     ", seed " + std::to_string(results.seed) + '\n';
  text +=
      "Latency from the due time. A timeout counts with its whole time; what was refused, cut or\n"
      "dropped is only counted.\n\n" +
      heading();
  const LoadResult total = total_of(results);
  for (const LoadResult& load : results.loads) {
    text += latencies(load.name, load.latency, load.arrivals, failed_of(load));
  }
  if (results.loads.size() > 1) {
    text += latencies(total.name, total.latency, total.arrivals, failed_of(total));
  }
  text += latencies("from the write", total.service, total.requests, 0);
  text += latencies("generator late by", results.lag, results.lag.count(), 0);
  text += "\narrivals    " + counts(total.outcomes, kOutcomeNames) + '\n';
  text += "cache says  " + counts(total.cache, kCacheResultNames) +
          "; waited for upstream: " + number_text(total.waited) + " arrivals\n";
  text += "status      " + statuses(total) + '\n';
  text += "connections " + number_text(total.connections) + " opened, " +
          number_text(total.retries) + " requests sent again, at most " +
          number_text(results.in_flight_max) + " arrivals under way\n";
  if (total.from_client_cache > 0) {
    text += "clients     had " + number_text(total.from_client_cache) + " answers themselves\n";
  }
  text += bodies(results);
  if (!results.compressed.empty()) text += "\ncompressed: " + results.compressed + '\n';
  if (!results.claims.empty()) text += '\n';
  for (const ClaimResult& claim : results.claims) {
    text += std::string(claim.held ? "held      " : "NOT HELD  ") + claim.text + ": " +
            claim.found + '\n';
  }
  return text;
}

}  // namespace revcache::bench
