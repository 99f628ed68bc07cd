// A sink of the log that counts what it gets; can be held up, or refuse.
#pragma once

#include <spdlog/sinks/sink.h>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace revcache::metrics {

class TestSink final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& message) override {
    std::unique_lock lock(mutex_);
    held_ += 1;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    held_ -= 1;
    if (refuses_) throw std::runtime_error("disk full");
    text_.append(message.payload.data(), message.payload.size());
    ++writes_;
    changed_.notify_all();
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  void hold() { set(&TestSink::open_, false); }
  void release() { set(&TestSink::open_, true); }
  void refuse(bool refuses) { set(&TestSink::refuses_, refuses); }
  void wait_until_held() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return held_ > 0; });
  }
  void wait_for_lines(std::ptrdiff_t wanted) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return std::ranges::count(text_, '\n') >= wanted; });
  }
  int writes() {
    const std::lock_guard lock(mutex_);
    return writes_;
  }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    std::istringstream in(text_);
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }

 private:
  void set(bool TestSink::* member, bool value) {
    const std::lock_guard lock(mutex_);
    this->*member = value;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  int held_ = 0;
  int writes_ = 0;
  bool open_ = true;
  bool refuses_ = false;
};

}  // namespace revcache::metrics
