#include "cache/disk_owed_removals.h"

#include <vector>

namespace revcache::cache {

void OwedRemovals::add(const std::string& key) {
  state_.with([&](State& state) {
    const std::uint64_t now = ++state.adds;
    if (state.everything != 0 || state.keys.size() >= kKeysMax) {
      state.everything = now;
      state.keys.clear();
    } else {
      state.keys[key] = now;
    }
    count(state);
  });
}

void OwedRemovals::add_everything() {
  state_.with([&](State& state) {
    state.everything = ++state.adds;
    state.keys.clear();
    count(state);
  });
}

bool OwedRemovals::covers(const std::string& key) const {
  if (none()) return false;
  return state_.with(
      [&](const State& state) { return state.everything != 0 || state.keys.contains(key); });
}

bool OwedRemovals::settle(const std::string& first, const Disk& disk) {
  if (none()) return true;
  const std::lock_guard lock(settling_);
  if (!settle_everything(disk) || !settle_key(first, disk)) return false;
  settle_some(disk);
  return true;
}

void OwedRemovals::settle_all(const Disk& disk) {
  if (none()) return;
  const std::lock_guard lock(settling_);
  if (!settle_everything(disk)) return;
  while (settle_some(disk)) {
  }
}

bool OwedRemovals::settle_some(const Disk& disk) {
  const auto some = state_.with([](const State& state) {
    std::vector<std::string> keys;
    for (const auto& [key, when] : state.keys) {
      if (keys.size() == kSettledAtOnceMax) break;
      keys.push_back(key);
    }
    return keys;
  });
  for (const std::string& key : some) {
    if (!settle_key(key, disk)) return false;
  }
  return !some.empty();
}

// What is owed again while it is being done stays owed.
bool OwedRemovals::settle_key(const std::string& key, const Disk& disk) {
  const std::uint64_t when = state_.with([&](const State& state) {
    const auto found = state.keys.find(key);
    return found == state.keys.end() ? 0 : found->second;
  });
  if (when == 0) return true;
  if (!disk.remove(key)) return false;
  return state_.with([&](State& state) {
    const auto found = state.keys.find(key);
    if (found != state.keys.end() && found->second == when) state.keys.erase(found);
    count(state);
    return state.everything == 0 && !state.keys.contains(key);
  });
}

bool OwedRemovals::settle_everything(const Disk& disk) {
  const std::uint64_t when = state_.with([](const State& state) { return state.everything; });
  if (when == 0) return true;
  if (!disk.forget_all()) return false;
  return state_.with([&](State& state) {
    if (state.everything == when) state.everything = 0;
    count(state);
    return state.everything == 0;
  });
}

void OwedRemovals::count(const State& state) noexcept {
  owed_.store(state.keys.size() + (state.everything != 0 ? 1 : 0));
}

}  // namespace revcache::cache
