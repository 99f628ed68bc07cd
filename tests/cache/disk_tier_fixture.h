// A disk tier over a store in memory, with a pool and a loop in one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "cache/disk_tier.h"

namespace revcache::cache::testing {

// A pool and a loop in one thread: what was submitted runs in an order drawn from a seed, as pool
// threads would overtake each other. Timers fire when there is nothing else to do.
class DrawnOrder final : public net::BackgroundWork, public net::Executor, public net::Timers {
 public:
  explicit DrawnOrder(std::uint64_t seed) : random_(seed) {}

  bool submit(net::WorkKind kind, Callback<> work, Callback<> done) override {
    CHECK(kind == net::WorkKind::disk);
    if (running_.size() >= limit) return false;
    ++submitted;
    running_.emplace_back(std::move(work), std::move(done));
    return true;
  }
  void post(Callback<> task) override { posted_.push_back(std::move(task)); }
  std::unique_ptr<net::Timer> after(std::chrono::milliseconds, Callback<> fire) override {
    auto timer = std::make_unique<ArmedTimer>();
    timer->fire = std::make_shared<Callback<>>(std::move(fire));
    timers_.push_back(timer->fire);
    return timer;
  }

  // Until nothing is left to do.
  void run() {
    while (true) {
      run_before_timers();
      if (timers_.empty()) return;
      const auto due = timers_.front().lock();
      timers_.pop_front();
      if (due != nullptr) std::exchange(*due, nullptr)();
    }
  }

  void run_before_timers() {
    while (!running_.empty() || !posted_.empty()) {
      if (!posted_.empty() && (running_.empty() || random_() % 2 == 0)) {
        auto task = std::move(posted_.front());
        posted_.pop_front();
        task();
        continue;
      }
      std::swap(running_[random_() % running_.size()], running_.back());
      auto [work, done] = std::move(running_.back());
      running_.pop_back();
      work();
      posted_.push_back(std::move(done));
    }
  }

  std::size_t limit = 1000;
  std::size_t submitted = 0;

 private:
  struct ArmedTimer final : net::Timer {
    std::shared_ptr<Callback<>> fire;
  };

  std::mt19937_64 random_;
  std::deque<std::weak_ptr<Callback<>>> timers_;
  std::vector<std::pair<Callback<>, Callback<>>> running_;
  std::deque<Callback<>> posted_;
};

// Keeps entries in memory; fails when told to.
class FakeStore final : public DiskStore {
 public:
  [[nodiscard]] Stats stats() const override { return Stats{.overloads = overloads}; }
  Result<StoredResponsePtr> read(const std::string& key) override {
    if (fails) return failure();
    const auto found = entries.find(key);
    return found == entries.end() ? nullptr : found->second;
  }
  [[nodiscard]] bool certainly_absent(const std::string& key) const override {
    return !entries.contains(key);
  }
  void owe_removal(const std::string& key) override { owed.push_back(key); }
  Result<SharedBytes> read_piece(const StoredResponse& entry, std::uint64_t index) override {
    if (fails) return failure();
    return SharedBytes::copy_of(entry.key + "#" + std::to_string(index));
  }
  Result<void> write(const StoredResponse& entry) override {
    if (fails) return failure();
    entries[entry.key] = std::make_shared<const StoredResponse>(entry);
    return {};
  }
  Result<void> remove(const std::string& key) override {
    if (fails) return failure();
    entries.erase(key);
    return {};
  }
  Result<void> clear() override {
    entries.clear();
    return {};
  }
  Result<void> visit(std::string_view prefix, const SeenKey& seen) override {
    for (const auto& [key, entry] : entries) {
      if (key.starts_with(prefix)) seen(key, entry->body_bytes);
    }
    return {};
  }
  Result<void> remove_all(std::span<const std::string> keys) override {
    for (const std::string& key : keys) entries.erase(key);
    return {};
  }
  void count_overload() noexcept override { ++overloads; }

  std::map<std::string, StoredResponsePtr> entries;
  std::vector<std::string> owed;  // removals
  std::uint64_t overloads = 0;
  bool fails = false;

 private:
  static std::unexpected<Error> failure() {
    return fail(ErrorCode::unreachable, Blame::local, "told to");
  }
};

struct DiskTierFixture {
  explicit DiskTierFixture(std::uint64_t seed = 1)
      : loop(seed),
        store(std::make_shared<FakeStore>()),
        tier(make_disk_tier(store, {.work = loop, .executor = loop, .timers = loop})) {}

  DrawnOrder loop;
  std::shared_ptr<FakeStore> store;
  std::unique_ptr<Tier> tier;
};

}  // namespace revcache::cache::testing
