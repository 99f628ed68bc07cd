#include "tests/sim/sim_loop.h"

#include <utility>

namespace revcache::sim {

namespace {

class SimTimer final : public net::Timer {
 public:
  SimTimer(SimScheduler& scheduler, std::shared_ptr<std::size_t> pending)
      : scheduler_(scheduler), pending_(std::move(pending)), armed_(std::make_shared<bool>(true)) {
    ++*pending_;
  }
  SimTimer(const SimTimer&) = delete;
  SimTimer& operator=(const SimTimer&) = delete;
  ~SimTimer() override {
    if (!std::exchange(*armed_, false)) return;
    --*pending_;
    scheduler_.cancel(event_);
  }

  void arm(std::chrono::milliseconds delay, Callback<> fire) {
    event_ = scheduler_.after(
        delay, [armed = armed_, pending = pending_, fire = std::move(fire)]() mutable {
          *armed = false;
          --*pending;
          fire();
        });
  }

 private:
  SimScheduler& scheduler_;
  std::shared_ptr<std::size_t> pending_;
  std::shared_ptr<bool> armed_;
  EventId event_;
};

}  // namespace

std::unique_ptr<net::Timer> SimTimers::after(std::chrono::milliseconds delay, Callback<> fire) {
  auto timer = std::make_unique<SimTimer>(scheduler_, pending_);
  timer->arm(delay, std::move(fire));
  return timer;
}

void SimExecutor::post(Callback<> task) {
  scheduler_.after(std::chrono::nanoseconds(0),
                   [running = running_, task = std::move(task)]() mutable {
                     if (*running) task();
                   });
}

bool SimBackgroundWork::submit(net::WorkKind kind, Callback<> work, Callback<> done) {
  const auto slot = static_cast<std::size_t>(kind);
  if (in_flight_[slot] >= profiles_[slot].queue_max) {
    ++refused_;
    return false;
  }
  ++in_flight_[slot];
  const auto delay = scheduler_.uniform(profiles_[slot].delay_min, profiles_[slot].delay_max);
  scheduler_.after(delay, [this, slot, alive = alive_, work = std::move(work),
                           done = std::move(done)]() mutable {
    if (!*alive) return;
    work();
    scheduler_.after(std::chrono::nanoseconds(0),
                     [this, slot, alive = std::move(alive), done = std::move(done)]() mutable {
                       if (!*alive) return;
                       --in_flight_[slot];
                       done();
                     });
  });
  return true;
}

}  // namespace revcache::sim
