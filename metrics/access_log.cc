#include "metrics/access_log.h"

#include <utility>

namespace revcache::metrics {

AccessLog::~AccessLog() { report(guard_.take_all_suppressed(), last_); }

void AccessLog::write(const AccessRecord& record) {
  if (is_sampled_out(record)) return;
  LogLine line(log_.format(), record.time, LogLevel::info, "request");
  line.add("client", record.client.to_string());
  line.add("method", record.method);
  line.add("url", record.url);
  line.add("status", std::int64_t{record.status});
  line.add("bytes", static_cast<std::int64_t>(record.bytes));
  // Microseconds are all that the clock of a loop is good for.
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(record.duration);
  line.add("duration_ms", static_cast<double>(micros.count()) / 1000.0);
  line.add("kind", to_string(record.kind));
  line.add("result", to_string(record.result));
  for (const auto& [key, value] : {std::pair{std::string_view("cache_status"), record.cache_status},
                                   std::pair{std::string_view("error"), record.error}}) {
    if (!value.empty()) line.add(key, value);
  }
  push(std::move(line));
}

bool AccessLog::is_sampled_out(const AccessRecord& record) {
  last_ = record.time;
  report(guard_.take_suppressed(record.now), record.time);
  const bool failed =
      record.result == RequestResult::error || record.result == RequestResult::denied;
  return failed && !guard_.allows(to_string(record.result), record.now);
}

void AccessLog::report(const std::vector<FloodGuard::Suppressed>& suppressed, WallTime time) {
  for (const auto& [result, lines] : suppressed) {
    LogLine line(log_.format(), time, LogLevel::warning, "requests suppressed");
    line.add("result", result);
    line.add("lines", static_cast<std::int64_t>(lines));
    push(std::move(line));
  }
}

void AccessLog::push(LogLine line) {
  if (!log_.writer().push(std::move(line).take())) metrics_.access_log_lines_dropped.add();
}

}  // namespace revcache::metrics
