#include "commands/status_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/duration_text.h"
#include "commands/terminal_text.h"

namespace revcache::commands {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::seconds;

// Any of these gives something for any JSON: the other side may be of another version.
const Json& member(const Json& json, std::string_view name) {
  static const Json kNothing;
  if (!json.is_object()) return kNothing;
  const auto found = json.find(name);
  return found == json.end() ? kNothing : *found;
}

std::string text(const Json& json, std::string_view name) {
  const Json& value = member(json, name);
  return value.is_string() ? printable(value.get_ref<const std::string&>()) : std::string();
}

std::optional<double> number(const Json& json, std::string_view name) {
  const Json& value = member(json, name);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

bool is_true(const Json& json, std::string_view name) {
  const Json& value = member(json, name);
  return value.is_boolean() && value.get<bool>();
}

std::string count(const Json& json, std::string_view name) {
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%.0f", number(json, name).value_or(0));
  return out.data();
}

// "2026-11-22T10:15:00Z", and nothing else.
std::optional<WallSeconds> time_of(const Json& json, std::string_view name) {
  const Json& value = member(json, name);
  if (!value.is_string()) return std::nullopt;
  const std::string& time = value.get_ref<const std::string&>();
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  if (time.size() != kForm.size()) return std::nullopt;
  std::array<unsigned, 6> parts{};
  std::size_t part = 0;
  for (std::size_t at = 0; at < time.size(); ++at) {
    if (kForm[at] != '0') {
      if (time[at] != kForm[at]) return std::nullopt;
      ++part;
      continue;
    }
    if (time[at] < '0' || time[at] > '9') return std::nullopt;
    parts.at(part) = parts.at(part) * 10 + static_cast<unsigned>(time[at] - '0');
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(parts[0])),
                                         std::chrono::month(parts[1]), std::chrono::day(parts[2])};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(parts[3]) +
         std::chrono::minutes(parts[4]) + seconds(parts[5]);
}

std::string span(double of_seconds) {
  constexpr double kMax = 1e15;
  return duration_text(seconds(static_cast<std::int64_t>(std::clamp(of_seconds, -kMax, kMax))));
}

// "0.42 ms", "12 ms", "1.3 s"
std::string latency(std::optional<double> of_seconds) {
  if (!of_seconds) return "-";
  const double ms = *of_seconds * 1000;
  std::array<char, 48> out{};
  if (ms < 10) {
    std::snprintf(out.data(), out.size(), "%.2f ms", ms);
  } else if (ms < 1000) {
    std::snprintf(out.data(), out.size(), "%.0f ms", ms);
  } else {
    std::snprintf(out.data(), out.size(), "%.1f s", ms / 1000);
  }
  return out.data();
}

std::string bytes(const Json& json, std::string_view name) {
  constexpr std::array<std::string_view, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  double value = number(json, name).value_or(0);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  std::array<char, 48> out{};
  std::snprintf(out.data(), out.size(), unit == 0 || value >= 100 ? "%.0f" : "%.1f", value);
  return std::string(out.data()) + ' ' + std::string(kUnits.at(unit));
}

std::string verdict_word(std::string_view verdict, bool colour) {
  if (verdict == "yes") return styled("yes", Style::good, colour);
  if (verdict == "at_risk") return styled("at risk", Style::caution, colour);
  if (verdict == "no") return styled("no", Style::bad, colour);
  return printable(verdict);
}

// Lines whose columns are as wide as their widest cell. Widths count octets: names are ASCII.
class Columns {
 public:
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  [[nodiscard]] std::string text() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (std::size_t at = 0; at < row.size(); ++at) {
        widths[at] = std::max(widths[at], row[at].size());
      }
    }
    std::string out;
    for (const auto& row : rows_) {
      std::string line = " ";
      for (std::size_t at = 0; at < row.size(); ++at) {
        line += ' ' + row[at] + std::string(widths[at] - row[at].size() + 1, ' ');
      }
      while (line.ends_with(' ')) line.pop_back();
      out += line + '\n';
    }
    return out;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

class StatusWriter {
 public:
  StatusWriter(const StatusAnswers& answers, bool colour)
      : answers_(answers), colour_(colour), now_(time_of(answers.status, "now")) {}

  std::string write() && {
    write_verdict();
    write_instance();
    write_authorities();
    write_crls();
    write_signers();
    write_upstreams();
    write_latency();
    return std::move(out_);
  }

 private:
  void write_verdict() {
    const Json& verdict = member(answers_.status, "verdict");
    const Json& reasons = member(verdict, "reasons");
    out_ += styled("NPS can authenticate:", Style::bold, colour_) + ' ' +
            verdict_word(text(verdict, "answer"), colour_);
    if (!reasons.is_array() || reasons.empty()) {
      out_ += '\n';
      return;
    }
    out_ += ", because ";
    const char* lead = "";
    for (const Json& reason : reasons) {
      const std::string runbook = text(reason, "runbook");
      out_ += lead + wrapped(text(reason, "text"), 2) + '\n';
      if (!runbook.empty()) {
        out_ += styled("    docs/operations.md#" + runbook, Style::dim, colour_) + '\n';
      }
      lead = "  ";
    }
  }

  void heading(std::string_view title) {
    out_ += '\n' + styled(title, Style::bold, colour_) + '\n';
  }

  void write_instance() {
    out_ += "\nrevcache " + text(answers_.status, "version");
    if (const auto started = time_of(answers_.status, "started_at"); started && now_) {
      out_ += ", up " + duration_text(*now_ - *started);
    }
    out_ += is_true(answers_.status, "ready") ? ", ready" : ", not ready";
    const Json& connections = member(answers_.status, "connections");
    out_ += "; " + count(connections, "clients") + " connections, " +
            count(connections, "in_flight") + " requests in flight\n";
    const Json& waiting = member(answers_.status, "waiting_for");
    if (!waiting.is_array()) return;
    for (const Json& one : waiting) {
      if (one.is_string()) out_ += "  waits for: " + printable(one.get<std::string>()) + '\n';
    }
  }

  // "in 3 min", "12 min ago"
  [[nodiscard]] std::string relative(const Json& json, std::string_view name) const {
    const auto time = time_of(json, name);
    if (!time || !now_) return {};
    return *time > *now_ ? "in " + duration_text(*time - *now_)
                         : duration_text(*now_ - *time) + " ago";
  }

  [[nodiscard]] std::string evidence_of(const Json& authority) const {
    const Json& evidence = member(authority, "evidence");
    std::string line = text(evidence, "kind");
    if (line.empty() || line == "none") return "no evidence held";
    if (const auto left = number(evidence, "time_left_seconds")) {
      line += *left > 0 ? ", " + span(*left) + " left" : ", ended";
      if (const auto whole = number(evidence, "validity_seconds")) line += " of " + span(*whole);
    }
    if (const auto fetched = relative(evidence, "fetched_at"); !fetched.empty()) {
      line += ", fetched " + fetched;
    }
    return line;
  }

  void write_authorities() {
    const Json& all = member(answers_.status, "authorities");
    if (!all.is_array() || all.empty()) return;
    heading("Authorities");
    // Words without colour: escape sequences have no width.
    Columns columns;
    for (const Json& authority : all) {
      std::string status = text(authority, "status");
      std::ranges::replace(status, '_', ' ');
      const Json& refresh = member(authority, "refresh");
      std::string next = relative(refresh, "next_run");
      if (!next.empty()) next = "next refresh " + next;
      if (const auto failures = number(refresh, "consecutive_failures"); failures > 0) {
        next += ", " + count(refresh, "consecutive_failures") + " failed";
      }
      std::string by_hand;
      if (const auto revoked = number(authority, "revoked_by_hand"); revoked > 0) {
        by_hand = count(authority, "revoked_by_hand") + " revoked by hand";
      }
      columns.add({text(authority, "name"), status, evidence_of(authority), next, by_hand});
    }
    out_ += columns.text();
  }

  void write_crls() {
    const Json& crls = member(answers_.crls, "crls");
    if (!crls.is_array() || crls.empty()) return write_silent_urls();
    heading("CRLs");
    Columns columns;
    for (const Json& crl : crls) {
      const auto left = number(crl, "time_left_seconds");
      const std::string serial = text(crl, "number");
      columns.add({text(crl, "authority"), text(crl, "kind"),
                   serial.empty() ? "" : "number " + serial, count(crl, "entries") + " entries",
                   !left       ? ""
                   : *left > 0 ? span(*left) + " left"
                               : "ended",
                   text(crl, "url")});
    }
    out_ += columns.text();
    write_silent_urls();
  }

  void write_silent_urls() {
    const Json& urls = member(answers_.crls, "not_held");
    if (!urls.is_array() || urls.empty()) return;
    heading("URLs that gave nothing yet");
    Columns columns;
    for (const Json& url : urls) {
      columns.add({text(url, "url"), count(url, "consecutive_failures") + " failed",
                   "next " + relative(url, "next_run"), text(url, "detail")});
    }
    out_ += columns.text();
  }

  void write_signers() {
    const Json& all = member(answers_.status, "authorities");
    if (!all.is_array()) return;
    Columns columns;
    bool any = false;
    for (const Json& authority : all) {
      const Json& signer = member(authority, "signer");
      if (!signer.is_object()) continue;
      any = true;
      const std::string ends = relative(signer, "not_after");
      columns.add({text(signer, "name"), "for " + text(authority, "name"),
                   is_true(signer, "usable") ? "usable" : "may not sign",
                   ends.empty() ? "" : "ends " + ends, text(signer, "problem")});
    }
    if (!any) return;
    heading("Signers");
    out_ += columns.text();
  }

  void write_upstreams() {
    const Json& all = member(answers_.upstreams, "upstreams");
    if (!all.is_array()) return;
    Columns columns;
    std::size_t not_asked = 0;
    for (const Json& upstream : all) {
      const Json& up = member(upstream, "up");
      if (!up.is_boolean()) {
        ++not_asked;
        continue;
      }
      std::string requests;
      const Json& by_outcome = member(upstream, "requests");
      for (const auto& [outcome, requested] : by_outcome.items()) {
        if (number(by_outcome, outcome).value_or(0) == 0) continue;
        if (!requests.empty()) requests += ", ";
        requests += count(by_outcome, outcome) + ' ' + printable(outcome);
      }
      const std::string answered = relative(upstream, "last_success");
      columns.add({text(upstream, "name"), up.get<bool>() ? "up" : "DOWN",
                   answered.empty() ? "never answered" : "answered " + answered, requests,
                   "p50 " + latency(number(upstream, "p50")),
                   "p99 " + latency(number(upstream, "p99"))});
    }
    if (not_asked < all.size()) {
      heading("Upstreams");
      out_ += columns.text();
    }
  }

  void write_latency() {
    const Json& windows = member(answers_.status, "latency");
    heading("Requests");
    Columns columns;
    for (const auto& [name, title] :
         {std::pair("minute", "last minute"), std::pair("hour", "last hour")}) {
      const Json& window = member(windows, name);
      const auto ratio = number(window, "hit_ratio");
      std::vector<std::string> cells{
          title, count(window, "requests") + " requests",
          ratio ? std::to_string(static_cast<int>(*ratio * 100)) + " % from what is held" : ""};
      for (const auto& [member_name, label] :
           {std::pair("p50", "p50 "), std::pair("p90", "p90 "), std::pair("p99", "p99 "),
            std::pair("p999", "p99.9 ")}) {
        cells.push_back(label + latency(number(window, member_name)));
      }
      columns.add(std::move(cells));
    }
    out_ += columns.text();
    const Json& cache = member(answers_.status, "cache");
    for (const char* tier : {"memory", "disk"}) {
      const Json& figures = member(cache, tier);
      if (!figures.is_object()) continue;
      out_ += "  " + std::string(tier) + ": " + count(figures, "entries") + " entries, " +
              bytes(figures, "bytes") + " of " + bytes(figures, "bytes_max") + '\n';
    }
  }

  const StatusAnswers& answers_;
  bool colour_;
  std::optional<WallSeconds> now_;  // the instance's
  std::string out_;
};

}  // namespace

std::string status_text(const StatusAnswers& answers, bool colour) {
  return StatusWriter(answers, colour).write();
}

}  // namespace revcache::commands
