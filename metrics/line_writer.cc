#include "metrics/line_writer.h"

#include <spdlog/formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <exception>
#include <utility>

namespace revcache::metrics {
namespace {

constexpr std::size_t kBatchBytesKept = 64U << 10U;

// Lines come complete: nothing is put around them.
class Verbatim final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    out.append(message.payload.data(), message.payload.data() + message.payload.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<Verbatim>();
  }
};

// spdlog reports a file that cannot be opened by an exception: it ends here.
Result<std::shared_ptr<spdlog::sinks::sink>> open_sink(const std::string& file) {
  try {
    if (file.empty()) return std::make_shared<spdlog::sinks::stderr_sink_mt>();
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
  } catch (const std::exception& error) {
    return fail(ErrorCode::unreachable, Blame::local, error.what());
  }
}

}  // namespace

Result<std::unique_ptr<LineWriter>> LineWriter::open(const std::string& file) {
  auto sink = open_sink(file);
  if (!sink) return fail(std::move(sink));
  return std::make_unique<LineWriter>(std::move(*sink));
}

LineWriter::LineWriter(std::shared_ptr<spdlog::sinks::sink> sink,
                       std::chrono::milliseconds gather_time)
    : gather_time_(gather_time), sink_(std::move(sink)) {
  sink_->set_formatter(std::make_unique<Verbatim>());
  thread_ = std::thread([this] { run(); });
}

LineWriter::~LineWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

bool LineWriter::push(std::string_view line) {
  {
    const std::lock_guard lock(mutex_);
    if (lines_pushed_ - lines_taken_ >= kWaitingLinesMax ||
        waiting_.size() + line.size() > kWaitingBytesMax) {
      return false;
    }
    waiting_ += line;
    ++lines_pushed_;
    if (!std::exchange(asleep_, false)) return true;  // the thread comes by itself
  }
  arrived_.notify_one();
  return true;
}

Result<void> LineWriter::reopen(const std::string& file) {
  auto sink = open_sink(file);
  if (!sink) return fail(std::move(sink));
  (*sink)->set_formatter(std::make_unique<Verbatim>());
  flush();
  const std::lock_guard lock(mutex_);
  sink_ = std::move(*sink);
  return {};
}

void LineWriter::flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = lines_pushed_;
  lines_urgent_ = wanted;
  arrived_.notify_one();
  written_.wait(lock, [this, wanted] { return lines_done_ >= wanted; });
}

void LineWriter::run() {
  std::string batch;
  std::unique_lock lock(mutex_);
  while (true) {
    asleep_ = waiting_.empty();
    arrived_.wait(lock, [this] { return !waiting_.empty() || ending_; });
    asleep_ = false;
    if (waiting_.empty()) return;
    batch.swap(waiting_);
    const std::uint64_t lines = lines_pushed_ - lines_taken_;
    lines_taken_ = lines_pushed_;
    const auto sink = sink_;
    lock.unlock();
    if (!write(*sink, batch)) lines_failed_.fetch_add(lines, std::memory_order_relaxed);
    batch.clear();
    // What a flood needed is not kept for ever.
    if (batch.capacity() > kBatchBytesKept) std::string().swap(batch);
    lock.lock();
    lines_done_ += lines;
    written_.notify_all();
    arrived_.wait_for(lock, gather_time_,
                      [this] { return ending_ || lines_urgent_ > lines_done_; });
  }
}

bool LineWriter::write(spdlog::sinks::sink& sink, const std::string& text) {
  try {
    sink.log(spdlog::details::log_msg({}, spdlog::level::info,
                                      spdlog::string_view_t(text.data(), text.size())));
    sink.flush();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace revcache::metrics
