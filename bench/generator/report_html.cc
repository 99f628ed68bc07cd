#include <algorithm>
#include <cmath>

#include "bench/generator/plot.h"
#include "bench/generator/report.h"

namespace revcache::bench {
namespace {

constexpr std::size_t kLoadsPlotted = 6;  // colours there are
constexpr int kPointsPerDecade = 8;

constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2430;--soft:#5b6675;--grid:#e3e7ec;
--c0:#1f6feb;--c1:#d1242f;--c2:#1a7f37;--c3:#9a6700;--c4:#8250df;--c5:#57606a;
--good:#1a7f37;--bad:#b4232c}
@media(prefers-color-scheme:dark){:root{
--paper:#12161c;--ink:#e4e9ef;--soft:#9aa6b4;--grid:#2a313a;
--c0:#6cb0ff;--c1:#ff8080;--c2:#63d07f;--c3:#e3b341;--c4:#c297ff;--c5:#aab4bf;
--good:#63d07f;--bad:#ff8080}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:1.5rem 1rem 4rem;background:var(--paper);
color:var(--ink);
font:16px/1.5 system-ui,sans-serif}
h1{margin:0;font-size:1.6rem}h2{margin:2.2rem 0 .6rem;font-size:1.15rem}
.soft{color:var(--soft)}p{margin:.3rem 0}
.scroll{overflow-x:auto}table{font-size:.9rem;border-collapse:collapse;width:100%;
font-variant-numeric:tabular-nums}
th,td{padding:.3rem .5rem;border-bottom:1px solid var(--grid);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{font-weight:600;color:var(--soft)}
ul.claims{list-style:none;padding:0}.claims li{padding:.35rem 0;border-bottom:1px solid var(--grid)}
.held b{color:var(--good)}.missed b{color:var(--bad)}
figure{margin:1.2rem 0}figcaption{font-weight:600;margin-bottom:.3rem}
svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font:11px system-ui,sans-serif}
.axis{stroke:var(--soft)}.grid{stroke:var(--grid)}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}.area{stroke:none;
opacity:.85}
.line.s0{stroke:var(--c0)}.line.s1{stroke:var(--c1)}.line.s2{stroke:var(--c2)}
.line.s3{stroke:var(--c3)}.line.s4{stroke:var(--c4)}.line.s5{stroke:var(--c5)}
.area.s0{fill:var(--c0)}.area.s1{fill:var(--c1)}.area.s2{fill:var(--c2)}
.area.s3{fill:var(--c3)}.area.s4{fill:var(--c4)}.area.s5{fill:var(--c5)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;padding:0;margin:.2rem 0;
color:var(--soft)}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em}
.key.s0{background:var(--c0)}.key.s1{background:var(--c1)}.key.s2{background:var(--c2)}
.key.s3{background:var(--c3)}.key.s4{background:var(--c4)}.key.s5{background:var(--c5)}
)css";

double seconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1e9; }

std::string latency_tick(double nanoseconds_value) {
  return duration_text(std::chrono::nanoseconds(std::llround(nanoseconds_value)));
}

// The x axis is log(1 / (1 - fraction)), so that each "nine" has the same room.
Line percentile_line(const std::string& name, const Histogram& histogram, double decades) {
  Line line{.name = name, .points = {}};
  const int points = static_cast<int>(decades * kPointsPerDecade);
  for (int at = 0; at <= points && histogram.count() > 0; ++at) {
    const double x = static_cast<double>(at) / kPointsPerDecade;
    const double fraction = 1 - std::pow(10.0, -x);
    line.points.emplace_back(x, static_cast<double>(histogram.quantile(fraction).count()));
  }
  return line;
}

std::string percentiles_plot(const Results& results, const LoadResult& total) {
  const double decades =
      std::clamp(std::ceil(std::log10(static_cast<double>(total.latency.count()) + 1)), 2.0, 6.0);
  Plot plot{.title = "Latency by percentile", .x_name = "percentile", .y_name = ""};
  plot.y_scale = Scale::logarithmic;
  plot.y_text = latency_tick;
  plot.x_max = decades;
  static constexpr const char* kNames[] = {"0", "90", "99", "99.9", "99.99", "99.999", "99.9999"};
  for (int nines = 0; nines <= static_cast<int>(decades); ++nines) {
    plot.x_ticks.push_back({static_cast<double>(nines), kNames[nines]});
  }
  plot.x_ticks.push_back({std::log10(2.0), "50"});
  const std::size_t shown = std::min(results.loads.size(), kLoadsPlotted - 1);
  for (std::size_t at = 0; at < shown; ++at) {
    plot.lines.push_back(
        percentile_line(results.loads[at].name, results.loads[at].latency, decades));
  }
  plot.lines.push_back(
      percentile_line("from the write, as a closed loop sees it", total.service, decades));
  return svg_of(plot);
}

// One line for each slot's value.
template <class Value>
Line series(const std::string& name, const LoadResult& load, std::chrono::nanoseconds slot,
            Value value) {
  Line line{.name = name, .points = {}};
  for (std::size_t at = 0; at < load.slots.size(); ++at) {
    const double x = seconds(slot * static_cast<std::int64_t>(at)) + seconds(slot) / 2;
    line.points.emplace_back(x, value(load.slots[at]));
  }
  return line;
}

Plot plot_over_time(const Results& results, const char* title) {
  Plot plot{.title = title, .x_name = "second at which it was due", .y_name = ""};
  plot.x_max = seconds(results.duration);
  return plot;
}

std::string latency_plot(const Results& results, const LoadResult& total) {
  Plot plot = plot_over_time(results, "Latency over time");
  plot.y_scale = Scale::logarithmic;
  plot.y_text = latency_tick;
  const auto quantile = [](double fraction) {
    return [fraction](const Slot& slot) {
      return static_cast<double>(slot.latency.quantile(fraction).count());
    };
  };
  plot.lines = {series("p50", total, results.slot, quantile(0.5)),
                series("longest", total, results.slot, quantile(1)),
                series("p99", total, results.slot, quantile(0.99))};
  return svg_of(plot);
}

std::string rate_plot(const Results& results, const LoadResult& total) {
  Plot plot = plot_over_time(results, "Arrivals per second");
  const double width = seconds(results.slot);
  plot.lines = {
      series("due", total, results.slot,
             [width](const Slot& slot) { return static_cast<double>(slot.due) / width; }),
      series("failed", total, results.slot,
             [width](const Slot& slot) { return static_cast<double>(slot.failed) / width; }),
      series("answered", total, results.slot,
             [width](const Slot& slot) { return static_cast<double>(slot.right) / width; })};
  return svg_of(plot);
}

// Groups of cache results, as many as there are colours.
std::string mix_plot(const Results& results, const LoadResult& total) {
  struct Group {
    const char* name;
    std::vector<CacheResult> parts;
  };
  const std::vector<Group> groups = {
      {"hit", {CacheResult::hit}},
      {"miss", {CacheResult::miss, CacheResult::bypass, CacheResult::collapsed}},
      {"revalidated", {CacheResult::revalidated}},
      {"stale", {CacheResult::stale, CacheResult::stale_error}},
      {"negative", {CacheResult::negative}},
      {"says nothing", {CacheResult::none}}};
  Plot plot = plot_over_time(results, "What the cache says, requests per second");
  plot.stacked = true;
  const double width = seconds(results.slot);
  for (const Group& group : groups) {
    plot.lines.push_back(series(group.name, total, results.slot, [&](const Slot& slot) {
      std::uint64_t sum = 0;
      for (const CacheResult part : group.parts) sum += slot.cache[static_cast<std::size_t>(part)];
      return static_cast<double>(sum) / width;
    }));
  }
  return svg_of(plot);
}

std::string cell(const std::string& text) { return "<td>" + xml_escaped(text) + "</td>"; }

std::string latency_row(const std::string& name, const Histogram& histogram, std::uint64_t count,
                        const std::string& failed) {
  std::string row = "<tr>" + cell(name) + cell(number_text(count)) + cell(failed) +
                    cell(duration_text(histogram.mean()));
  for (const Percentile& percentile : kPercentiles) {
    row += cell(duration_text(histogram.quantile(percentile.fraction)));
  }
  return row + cell(duration_text(histogram.max())) + "</tr>\n";
}

std::string latency_table(const Results& results, const LoadResult& total) {
  std::string table =
      "<div "
      "class=\"scroll\"><table><thead><tr><th></th><th>arrivals</th><th>failed</th><th>mean</th>";
  for (const Percentile& percentile : kPercentiles) {
    table += "<th>p" + std::string(percentile.name) + "</th>";
  }
  table += "<th>longest</th></tr></thead><tbody>\n";
  for (const LoadResult& load : results.loads) {
    table += latency_row(load.name, load.latency, load.arrivals, number_text(failed_of(load)));
  }
  if (results.loads.size() > 1) {
    table += latency_row("all", total.latency, total.arrivals, number_text(failed_of(total)));
  }
  table += latency_row("from the write", total.service, total.requests, "");
  table += latency_row("generator late by", results.lag, results.lag.count(), "");
  return table + "</tbody></table></div>\n";
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "";
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f %%",
                100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

std::string count_row(const std::string& name, std::uint64_t count, std::uint64_t whole) {
  if (count == 0) return "";
  return "<tr>" + cell(name) + cell(number_text(count)) + cell(share(count, whole)) + "</tr>\n";
}

std::string count_tables(const LoadResult& total) {
  std::string out = "<h2>What came back</h2><div class=\"scroll\"><table><tbody>\n";
  for (std::size_t at = 0; at < kOutcomes; ++at) {
    out += count_row("arrivals: " + std::string(kOutcomeNames[at]), total.outcomes[at],
                     total.arrivals);
  }
  for (std::size_t at = 0; at < kCacheResults; ++at) {
    out +=
        count_row("cache: " + std::string(kCacheResultNames[at]), total.cache[at], total.requests);
  }
  for (std::size_t at = 0; at < kStatuses; ++at) {
    out += count_row("status " + std::to_string(at), total.statuses[at], total.requests);
  }
  out += count_row("waited for upstream", total.waited, total.arrivals);
  out += count_row("from the client's own cache", total.from_client_cache, 0);
  return out + "</tbody></table></div>\n";
}

std::string claims_list(const Results& results) {
  if (results.claims.empty()) return "";
  std::string out = "<ul class=\"claims\">\n";
  for (const ClaimResult& claim : results.claims) {
    out += std::string("<li class=\"") + (claim.held ? "held" : "missed") + "\"><b>" +
           (claim.held ? "held" : "not held") + "</b> " + xml_escaped(claim.text) +
           " <span class=\"soft\">" + xml_escaped(claim.found) + "</span></li>\n";
  }
  return out + "</ul>\n";
}

}  // namespace

std::string html_report(const Results& results) {
  const LoadResult total = total_of(results);
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><title>" +
      xml_escaped(results.scenario) + " - revcache-bench</title><style>" + kStyle +
      "</style></head><body>\n<main><h1>" + xml_escaped(results.scenario) + "</h1>\n<p>" +
      xml_escaped(results.about) + "</p>\n<p class=\"soft\">" + xml_escaped(results.target) +
      " · " + xml_escaped(results.started) + " · " + duration_text(results.took) + " · seed " +
      std::to_string(results.seed) + "</p>\n";
  if (!results.compressed.empty()) {
    out += "<p class=\"soft\">Compressed: " + xml_escaped(results.compressed) + "</p>\n";
  }
  out += claims_list(results) +
         "<h2>Latency</h2><p class=\"soft\">From the time at which each "
         "arrival was due, so that a server which stands still cannot hide it.</p>\n";
  out += latency_table(results, total) + percentiles_plot(results, total);
  out += latency_plot(results, total) + rate_plot(results, total) + mix_plot(results, total);
  return out + count_tables(total) + "</main></body></html>\n";
}

}  // namespace revcache::bench
