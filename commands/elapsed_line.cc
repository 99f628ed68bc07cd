#include "commands/elapsed_line.h"

#include <ostream>
#include <utility>

namespace revcache::commands {

ElapsedLine::ElapsedLine(std::ostream* out, std::string what) : out_(out), what_(std::move(what)) {
  if (out_ != nullptr) thread_ = std::thread([this] { run(); });
}

ElapsedLine::~ElapsedLine() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

void ElapsedLine::run() {
  std::unique_lock lock(mutex_);
  bool shown = false;
  for (int seconds = 1; !ended_.wait_for(lock, std::chrono::seconds(1), [this] { return over_; });
       ++seconds) {
    *out_ << '\r' << what_ << "… " << seconds << " s" << std::flush;
    shown = true;
  }
  // ECMA-48: erase the line.
  if (shown) *out_ << "\r\x1b[K" << std::flush;
}

}  // namespace revcache::commands
