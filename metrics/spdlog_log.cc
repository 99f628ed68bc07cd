#include "metrics/spdlog_log.h"

#include <utility>

#include "metrics/log_line.h"

namespace revcache::metrics {

SpdlogLog::SpdlogLog(std::unique_ptr<LineWriter> writer, const LogOptions& options,
                     const Clock& clock)
    : writer_(std::move(writer)),
      clock_(clock),
      format_(options.format),
      level_(options.level),
      file_(options.file) {}

SpdlogLog::~SpdlogLog() {
  report(guard_.with([](FloodGuard& guard) { return guard.take_all_suppressed(); }));
}

void SpdlogLog::write(LogLevel level, std::string_view event,
                      std::initializer_list<LogField> fields) {
  if (level < level_.load(std::memory_order_relaxed)) return;
  const MonotonicTime now = clock_.monotonic();
  std::vector<FloodGuard::Suppressed> suppressed;
  const bool allowed = guard_.with([&](FloodGuard& guard) {
    suppressed = guard.take_suppressed(now);
    return guard.allows(event, now);
  });
  report(suppressed);
  if (allowed) push(level, event, fields);
}

void SpdlogLog::record(std::string_view event, std::initializer_list<LogField> fields) {
  push(LogLevel::info, event, fields);
}

void SpdlogLog::report(const std::vector<FloodGuard::Suppressed>& suppressed) {
  for (const auto& [event, lines] : suppressed) {
    push(LogLevel::warning, "events suppressed",
         {{"of", event}, {"lines", static_cast<std::int64_t>(lines)}});
  }
}

void SpdlogLog::push(LogLevel level, std::string_view event,
                     std::initializer_list<LogField> fields) {
  if (const auto dropped = lines_dropped_unreported_.exchange(0); dropped != 0) {
    LogLine line(format(), clock_.wall(), LogLevel::warning, "log lines dropped");
    line.add("lines", static_cast<std::int64_t>(dropped));
    if (!writer_->push(std::move(line).take())) lines_dropped_unreported_ += dropped;
  }
  LogLine line(format(), clock_.wall(), level, event);
  for (const LogField& field : fields) line.add(field);
  if (writer_->push(std::move(line).take())) return;
  ++lines_dropped_;
  ++lines_dropped_unreported_;
}

Result<void> SpdlogLog::apply(const LogOptions& options) {
  format_ = options.format;
  level_ = options.level;
  auto opened = writer_->reopen(options.file);
  if (opened) file_.with([&options](std::string& file) { file = options.file; });
  return opened;
}

Result<void> SpdlogLog::reopen() {
  return writer_->reopen(file_.with([](const std::string& file) { return file; }));
}

Result<std::unique_ptr<SpdlogLog>> make_log(const LogOptions& options, const Clock& clock) {
  auto writer = LineWriter::open(options.file);
  if (!writer) return fail(std::move(writer));
  return std::make_unique<SpdlogLog>(std::move(*writer), options, clock);
}

}  // namespace revcache::metrics
