#include "metrics/access_log.h"

#include <utility>

#include "metrics/log_line.h"

namespace revcache::metrics {

void AccessLog::write(const AccessRecord& record) {
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
                                   std::pair{std::string_view("upstream"), record.upstream_host},
                                   std::pair{std::string_view("error"), record.error}}) {
    if (!value.empty()) line.add(key, value);
  }
  if (!log_.writer().push(std::move(line).take())) metrics_.access_log_lines_dropped.add();
}

}  // namespace revcache::metrics
