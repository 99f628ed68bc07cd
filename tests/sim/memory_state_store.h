// A state store in memory, which outlives the process that uses it: for simulations with restarts.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "revocation/state_store.h"

namespace revcache::sim {

// One thread.
class MemoryStateStore final : public revocation::StateStore {
 public:
  using Floor = revocation::Floor;
  using FloorKey = revocation::FloorKey;
  using ManualRevocation = revocation::ManualRevocation;
  using SeenRevocation = revocation::SeenRevocation;

  // Every call fails from now on, as on a full or dead disk.
  void break_down(bool broken = true) { broken_ = broken; }
  [[nodiscard]] std::size_t durable_writes() const noexcept { return durable_writes_; }

  Result<std::optional<Floor>> floor(const FloorKey& key) override {
    if (broken_) return failed();
    const auto found = floors_.find(key);
    if (found == floors_.end()) return std::optional<Floor>();
    return found->second;
  }
  Result<void> accept_crl(const FloorKey& key, const Floor& floor,
                          std::span<const SeenRevocation> added,
                          std::span<const std::string> lifted_serials) override {
    if (broken_) return failed();
    floors_.insert_or_assign(key, floor);
    for (const auto& seen : added) seen_[key].insert_or_assign(seen.serial, seen);
    for (const auto& serial : lifted_serials) seen_[key].erase(serial);
    ++durable_writes_;
    return {};
  }
  Result<void> accept_ocsp(const FloorKey& key, const Floor& floor,
                           const std::optional<SeenRevocation>& revoked,
                           const std::optional<std::string>& lifted_serial) override {
    std::vector<SeenRevocation> added;
    if (revoked) added.push_back(*revoked);
    std::vector<std::string> lifted;
    if (lifted_serial) lifted.push_back(*lifted_serial);
    return accept_crl(key, floor, added, lifted);
  }
  Result<void> for_each_seen(const FloorKey& key,
                             const std::function<bool(const SeenRevocation&)>& visit) override {
    if (broken_) return failed();
    for (const auto& [serial, seen] : seen_[key]) {
      if (!visit(seen)) break;
    }
    return {};
  }
  Result<void> for_each_seen_of_issuer(
      const pki::KeyHash& issuer,
      const std::function<bool(const FloorKey&, const SeenRevocation&)>& visit) override {
    if (broken_) return failed();
    for (const auto& [key, all] : seen_) {
      if (key.issuer != issuer) continue;
      for (const auto& [serial, seen] : all) {
        if (!visit(key, seen)) return {};
      }
    }
    return {};
  }
  Result<std::size_t> reset_floors(const pki::KeyHash& issuer) override {
    if (broken_) return failed();
    std::erase_if(seen_, [&](const auto& entry) { return entry.first.issuer == issuer; });
    return std::erase_if(floors_, [&](const auto& entry) { return entry.first.issuer == issuer; });
  }

  Result<void> put_issuer(const pki::KeyHash& issuer, std::string_view der) override {
    if (broken_) return failed();
    issuers_.insert_or_assign(issuer, std::string(der));
    return {};
  }
  Result<std::vector<std::string>> issuers() override {
    if (broken_) return failed();
    std::vector<std::string> all;
    for (const auto& [key, der] : issuers_) all.push_back(der);
    return all;
  }

  Result<void> revoke(const ManualRevocation& revocation) override {
    if (broken_) return failed();
    manual_.insert_or_assign({revocation.issuer, revocation.serial}, revocation);
    ++durable_writes_;
    return {};
  }
  Result<bool> unrevoke(const pki::KeyHash& issuer, std::string_view serial) override {
    if (broken_) return failed();
    return manual_.erase({issuer, std::string(serial)}) != 0;
  }
  Result<std::vector<ManualRevocation>> manual_revocations() override {
    if (broken_) return failed();
    std::vector<ManualRevocation> all;
    for (const auto& [key, revocation] : manual_) all.push_back(revocation);
    return all;
  }

  Result<std::optional<WallSeconds>> clock_floor() override {
    if (broken_) return failed();
    return clock_floor_;
  }
  Result<void> raise_clock_floor(WallSeconds seen) override {
    if (broken_) return failed();
    if (!clock_floor_ || *clock_floor_ < seen) clock_floor_ = seen;
    return {};
  }
  Result<void> reset_clock_floor(WallSeconds to) override {
    clock_floor_ = to;
    return {};
  }

  Result<void> append_audit(std::string_view json, bool /*durable*/) override {
    if (broken_) return failed();
    audit_.emplace(audit_.begin(), json);
    return {};
  }
  Result<std::vector<std::string>> audit(std::size_t entries_max) override {
    auto entries = audit_;
    if (entries.size() > entries_max) entries.resize(entries_max);
    return entries;
  }
  Result<void> append_decision(std::string_view json) override {
    if (broken_) return failed();
    decisions_.emplace(decisions_.begin(), json);
    return {};
  }
  Result<std::vector<std::string>> decisions(std::size_t entries_max) override {
    auto entries = decisions_;
    if (entries.size() > entries_max) entries.resize(entries_max);
    return entries;
  }

  Result<void> put_refresh_record(std::string_view url, std::string_view record) override {
    refresh_[std::string(url)] = record;
    return {};
  }
  Result<void> erase_refresh_record(std::string_view url) override {
    refresh_.erase(std::string(url));
    return {};
  }
  Result<std::vector<std::pair<std::string, std::string>>> refresh_records() override {
    return std::vector<std::pair<std::string, std::string>>(refresh_.begin(), refresh_.end());
  }

 private:
  static std::unexpected<Error> failed() {
    return fail(ErrorCode::unreachable, Blame::local, "the state cannot be written");
  }

  bool broken_ = false;
  std::size_t durable_writes_ = 0;
  std::map<FloorKey, Floor> floors_;
  std::map<FloorKey, std::map<std::string, SeenRevocation>> seen_;
  std::map<pki::KeyHash, std::string> issuers_;
  std::map<std::pair<pki::KeyHash, std::string>, ManualRevocation> manual_;
  std::optional<WallSeconds> clock_floor_;
  std::vector<std::string> audit_;
  std::vector<std::string> decisions_;
  std::map<std::string, std::string> refresh_;
};

}  // namespace revcache::sim
