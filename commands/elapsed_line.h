// While a command waits for one long answer: a line on the terminal that counts the seconds.
#pragma once

#include <chrono>
#include <condition_variable>
#include <iosfwd>
#include <mutex>
#include <string>
#include <thread>

namespace revcache::commands {

// Writes "fetching URL… 3 s" over itself from the second second on, and takes it away at its end.
// While it lives nobody else writes to `out`. A thread of its own; `out` null: none, and nothing.
class ElapsedLine {
 public:
  ElapsedLine(std::ostream* out, std::string what);
  ElapsedLine(const ElapsedLine&) = delete;
  ElapsedLine& operator=(const ElapsedLine&) = delete;
  ~ElapsedLine();

 private:
  void run();

  std::ostream* out_;
  std::string what_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;  // under mutex_
  std::thread thread_;
};

}  // namespace revcache::commands
