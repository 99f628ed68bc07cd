// The loop-bound services of net/ in virtual time: timers, posting, and work off the loop.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "net/background_work.h"
#include "net/executor.h"
#include "net/timers.h"
#include "tests/sim/sim_scheduler.h"

namespace revcache::sim {

class SimTimers final : public net::Timers {
 public:
  explicit SimTimers(SimScheduler& scheduler) : scheduler_(scheduler) {}
  [[nodiscard]] std::unique_ptr<net::Timer> after(std::chrono::milliseconds delay,
                                                  Callback<> fire) override;
  // Timers that exist and have not fired: 0 after everything has been torn down.
  [[nodiscard]] std::size_t pending() const noexcept { return *pending_; }

 private:
  SimScheduler& scheduler_;
  std::shared_ptr<std::size_t> pending_ = std::make_shared<std::size_t>(0);
};

class SimExecutor final : public net::Executor {
 public:
  explicit SimExecutor(SimScheduler& scheduler) : scheduler_(scheduler) {}
  void post(Callback<> task) override;
  // As when the loop has stopped: tasks waiting and posted later are destroyed unrun.
  void stop() { *running_ = false; }

 private:
  SimScheduler& scheduler_;
  std::shared_ptr<bool> running_ = std::make_shared<bool>(true);
};

// One task of a kind runs after another delay drawn from [delay_min, delay_max]; tasks of equal
// delay run in parallel, as on a pool.
struct WorkProfile {
  std::chrono::nanoseconds delay_min{std::chrono::microseconds(50)};
  std::chrono::nanoseconds delay_max{std::chrono::microseconds(500)};
  std::size_t queue_max = 1024;
};

// Tasks that have not run when it is destroyed are destroyed unrun, as in a process that dies.
class SimBackgroundWork final : public net::BackgroundWork {
 public:
  explicit SimBackgroundWork(SimScheduler& scheduler) : scheduler_(scheduler) {}
  SimBackgroundWork(const SimBackgroundWork&) = delete;
  SimBackgroundWork& operator=(const SimBackgroundWork&) = delete;
  ~SimBackgroundWork() override { *alive_ = false; }
  [[nodiscard]] bool submit(net::WorkKind kind, Callback<> work, Callback<> done) override;

  [[nodiscard]] WorkProfile& profile(net::WorkKind kind) {
    return profiles_[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] std::size_t in_flight(net::WorkKind kind) const {
    return in_flight_[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

 private:
  SimScheduler& scheduler_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::array<WorkProfile, net::kWorkKinds> profiles_{};
  std::array<std::size_t, net::kWorkKinds> in_flight_{};
  std::uint64_t refused_ = 0;
};

}  // namespace revcache::sim
