// Removals that could not be done yet, because the disk refused them or nobody had room to ask it:
// an invalidation must hold all the same (RFC 9111 4.4). What is owed counts as absent at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/guarded.h"

namespace revcache::cache {

// Thread-safe. Lost when the process dies: then the entries are found again.
class OwedRemovals {
 public:
  static constexpr std::size_t kKeysMax = 4096;  // past it the removal of everything is owed

  void add(const std::string& key);
  void add_everything();

  [[nodiscard]] bool none() const noexcept { return owed_.load() == 0; }
  [[nodiscard]] bool covers(const std::string& key) const;

  // How to remove one entry, and how all of them. False: it stays owed.
  struct Disk {
    std::function<bool(const std::string&)> remove;
    std::function<bool()> forget_all;
  };
  // Does some of what is owed, `first` before all. Blocking; true when `first` is not owed any
  // more.
  bool settle(const std::string& first, const Disk& disk);
  // Does all of it, as far as the disk lets us. Blocking.
  void settle_all(const Disk& disk);

 private:
  static constexpr std::size_t kSettledAtOnceMax = 64;  // each is a durable write

  struct State {
    std::unordered_map<std::string, std::uint64_t> keys;  // when it was owed last, counted by adds
    std::uint64_t adds = 0;
    std::uint64_t everything = 0;  // the same for all keys; 0: not owed
  };

  // True when there may be more to do.
  bool settle_some(const Disk& disk);
  bool settle_key(const std::string& key, const Disk& disk);
  bool settle_everything(const Disk& disk);
  void count(const State& state) noexcept;

  std::mutex settling_;  // one at a time, so that no late removal hits what was written after it
  Guarded<State> state_;
  std::atomic<std::size_t> owed_{0};
};

}  // namespace revcache::cache
