#include "cache/disk_tier.h"

#include <chrono>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "cache/disk_record.h"

namespace revcache::cache {
namespace {

constexpr std::size_t kWaitingMax = 1024;  // calls behind others of the same key, all keys together
// Small writes that nobody waits for go to a thread together: the way there and back costs a loop
// more than the rest of a put.
constexpr std::size_t kGatheredMax = 64;
constexpr std::chrono::milliseconds kGatherTime{5};

std::unexpected<Error> overloaded() {
  return fail(ErrorCode::overloaded, Blame::local, "disk tier: too much to do");
}

// One call, off-loop and back. `refuse` replaces both when there is no room for it.
struct Call {
  Callback<> work;    // on a pool thread
  Callback<> done;    // on the loop
  Callback<> refuse;  // on the loop
  bool is_removal = false;
  bool may_be_gathered = false;  // nobody waits for it
};

// Runs the calls of one key one after the other: pool threads would overtake each other. Kept alive
// by what is under way. Loop thread only.
class KeyedCalls : public std::enable_shared_from_this<KeyedCalls> {
 public:
  KeyedCalls(std::shared_ptr<DiskStore> store, DiskTierLoop loop)
      : store_(std::move(store)),
        work_(loop.work),
        executor_(loop.executor),
        timers_(loop.timers) {}

  // From inside the caller's call: nothing of `call` runs before it returns.
  void start(const std::string& key, Call call) {
    if (!gathered_.empty() && waiting_.contains(key)) submit_gathered();
    const auto [busy, is_free] = waiting_.try_emplace(key);
    if (is_free) {
      if (call.may_be_gathered && gathers_) return gather(key, std::move(call));
      if (submit(key, call)) return;
      waiting_.erase(busy);
    } else if (call.is_removal || waiting_calls_ < kWaitingMax) {
      if (waiting_calls_ >= kWaitingMax) make_way(busy->second);
      ++waiting_calls_;
      busy->second.push_back(std::move(call));
      return;
    }
    if (call.is_removal) store_->owe_removal(key);
    refuse_later(std::move(call));
  }

  // In no order with anything else.
  void start_unordered(Call call) {
    auto shared = std::make_shared<Call>(std::move(call));
    if (work_.submit(
            net::WorkKind::disk, [shared] { shared->work(); }, [shared] { shared->done(); })) {
      return;
    }
    refuse_later(std::move(*shared));
  }

  [[nodiscard]] bool is_under_way(const std::string& key) const { return waiting_.contains(key); }

  void stop_gathering() {
    gathers_ = false;
    submit_gathered();
  }

  // The tier is gone, and after this call perhaps the loop's other parts with it.
  void close() {
    stop_gathering();
    closed_ = true;
  }

 private:
  using Gathered = std::vector<std::pair<std::string, Call>>;

  void gather(const std::string& key, Call&& call) {
    gathered_.emplace_back(key, std::move(call));
    if (gathered_.size() >= kGatheredMax) return submit_gathered();
    if (gather_timer_ == nullptr) {
      gather_timer_ = timers_.after(kGatherTime, [this] { submit_gathered(); });
    }
  }

  void submit_gathered() {
    gather_timer_.reset();
    if (gathered_.empty()) return;
    auto calls = std::make_shared<Gathered>(std::exchange(gathered_, {}));
    const bool taken = work_.submit(
        net::WorkKind::disk,
        [calls] {
          for (auto& [key, call] : *calls) call.work();
        },
        [self = shared_from_this(), calls] {
          for (auto& [key, call] : *calls) {
            call.done();
            self->start_next(key);
          }
        });
    if (taken) return;
    // Nothing waits behind them: whoever came for one of their keys had them submitted.
    for (auto& [key, call] : *calls) {
      waiting_.erase(key);
      refuse_later(std::move(call));
    }
  }

  // Leaves `call` as it was when there is no room.
  bool submit(const std::string& key, Call& call) {
    auto shared = std::make_shared<Call>(std::move(call));
    const bool taken = work_.submit(
        net::WorkKind::disk, [shared] { shared->work(); },
        [self = shared_from_this(), shared, key] {
          shared->done();
          self->start_next(key);
        });
    if (!taken) call = std::move(*shared);
    return taken;
  }

  // After a call of `key` has come back.
  void start_next(const std::string& key) {
    while (true) {
      const auto busy = waiting_.find(key);
      CHECK(busy != waiting_.end());
      if (busy->second.empty()) {
        waiting_.erase(busy);
        return;
      }
      Call next = std::move(busy->second.front());
      busy->second.pop_front();
      --waiting_calls_;
      if (!closed_ && submit(key, next)) return;
      if (next.is_removal) store_->owe_removal(key);
      store_->count_overload();
      next.refuse();
    }
  }

  // For a removal, which undoes what waits before it anyway.
  void make_way(std::deque<Call>& calls) {
    waiting_calls_ -= calls.size();
    for (Call& call : std::exchange(calls, {})) refuse_later(std::move(call));
  }

  void refuse_later(Call&& call) {
    store_->count_overload();
    executor_.post(std::move(call.refuse));
  }

  std::shared_ptr<DiskStore> store_;
  net::BackgroundWork& work_;
  net::Executor& executor_;
  net::Timers& timers_;
  Gathered gathered_;  // their keys are busy
  std::unique_ptr<net::Timer> gather_timer_;
  bool gathers_ = true;
  // A key is here while a call of it is under way, with those that wait for it.
  std::unordered_map<std::string, std::deque<Call>> waiting_;
  std::size_t waiting_calls_ = 0;
  bool closed_ = false;
};

// What a call computes off-loop, and whom it tells. T is default-constructible inside a Result.
template <class T>
struct Pending {
  explicit Pending(Callback<Result<T>>&& callback) : done(std::move(callback)) {}
  void finish() { done(std::move(outcome)); }

  Callback<Result<T>> done;
  Result<T> outcome{};
};

class DiskTier final : public Tier {
 public:
  DiskTier(std::shared_ptr<DiskStore> store, DiskTierLoop loop)
      : store_(store), calls_(std::make_shared<KeyedCalls>(std::move(store), loop)) {}
  DiskTier(const DiskTier&) = delete;
  DiskTier& operator=(const DiskTier&) = delete;
  ~DiskTier() override { calls_->close(); }

  void find(const std::string& key, Callback<Result<StoredResponsePtr>> done) override {
    auto pending = std::make_shared<Pending<StoredResponsePtr>>(std::move(done));
    calls_->start(
        key, Call{.work = [pending, key, store = store_] { pending->outcome = store->read(key); },
                  .done = [pending] { pending->finish(); },
                  .refuse = [pending] { pending->done(nullptr); }});
  }

  bool certainly_absent(const std::string& key) override {
    return !calls_->is_under_way(key) && store_->certainly_absent(key);
  }

  void read_piece(const StoredResponsePtr& entry, std::uint64_t index,
                  Callback<Result<SharedBytes>> done) override {
    // Pieces never change: there is nothing to keep in order.
    auto pending = std::make_shared<Pending<SharedBytes>>(std::move(done));
    calls_->start_unordered(
        Call{.work = [pending, entry, index,
                      store = store_] { pending->outcome = store->read_piece(*entry, index); },
             .done = [pending] { pending->finish(); },
             .refuse = [pending] { pending->done(overloaded()); }});
  }

  void put(StoredResponsePtr entry, Callback<Result<void>> done) override {
    auto call = change([store = store_, entry] { return store->write(*entry); }, std::move(done));
    call.may_be_gathered = entry->body_bytes <= kInlineBodyBytesMax;
    calls_->start(entry->key, std::move(call));
  }

  void erase(const std::string& key, Callback<Result<void>> done) override {
    auto call = change([store = store_, key] { return store->remove(key); }, std::move(done));
    call.is_removal = true;
    calls_->start(key, std::move(call));
  }

  void stop_gathering() override { calls_->stop_gathering(); }

 private:
  static Call change(std::move_only_function<Result<void>()> act, Callback<Result<void>> done) {
    auto pending = std::make_shared<Pending<void>>(std::move(done));
    return Call{.work = [pending, act = std::move(act)]() mutable { pending->outcome = act(); },
                .done = [pending] { pending->finish(); },
                .refuse = [pending] { pending->done(overloaded()); }};
  }

  std::shared_ptr<DiskStore> store_;
  std::shared_ptr<KeyedCalls> calls_;
};

}  // namespace

std::unique_ptr<Tier> make_disk_tier(std::shared_ptr<DiskStore> store, DiskTierLoop loop) {
  return std::make_unique<DiskTier>(std::move(store), loop);
}

}  // namespace revcache::cache
