// Stands before another state store: counts its calls, makes one of them fail as on a dying disk,
// and lets in one thread at a time.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "revocation/state_store.h"

namespace revcache::revocation::testing {

class HookedStateStore final : public StateStore {
 public:
  explicit HookedStateStore(StateStore& behind) : behind_(behind) {}

  // Called before each call with its name; false: it fails and does nothing. One thread, before
  // others have begun.
  std::function<bool(std::string_view)> on_call;

  Result<std::optional<Floor>> floor(const FloorKey& key) override {
    return call("floor", [&] { return behind_.floor(key); });
  }
  Result<void> accept_crl(const FloorKey& key, const Floor& floor,
                          std::span<const SeenRevocation> added,
                          std::span<const std::string> lifted) override {
    return call("accept_crl", [&] { return behind_.accept_crl(key, floor, added, lifted); });
  }
  Result<void> accept_ocsp(const FloorKey& key, const Floor& floor,
                           const std::optional<SeenRevocation>& revoked,
                           const std::optional<std::string>& lifted) override {
    return call("accept_ocsp", [&] { return behind_.accept_ocsp(key, floor, revoked, lifted); });
  }
  Result<void> for_each_seen(const FloorKey& key,
                             const std::function<bool(const SeenRevocation&)>& visit) override {
    return call("for_each_seen", [&] { return behind_.for_each_seen(key, visit); });
  }
  Result<void> for_each_seen_of_issuer(
      const pki::KeyHash& issuer,
      const std::function<bool(const FloorKey&, const SeenRevocation&)>& visit) override {
    return call("for_each_seen_of_issuer",
                [&] { return behind_.for_each_seen_of_issuer(issuer, visit); });
  }
  Result<std::size_t> reset_floors(const pki::KeyHash& issuer) override {
    return call("reset_floors", [&] { return behind_.reset_floors(issuer); });
  }
  Result<void> put_issuer(const pki::KeyHash& issuer, std::string_view der) override {
    return call("put_issuer", [&] { return behind_.put_issuer(issuer, der); });
  }
  Result<std::vector<std::string>> issuers() override {
    return call("issuers", [&] { return behind_.issuers(); });
  }
  Result<void> revoke(const ManualRevocation& revocation) override {
    return call("revoke", [&] { return behind_.revoke(revocation); });
  }
  Result<bool> unrevoke(const pki::KeyHash& issuer, std::string_view serial) override {
    return call("unrevoke", [&] { return behind_.unrevoke(issuer, serial); });
  }
  Result<std::vector<ManualRevocation>> manual_revocations() override {
    return call("manual_revocations", [&] { return behind_.manual_revocations(); });
  }
  Result<std::optional<WallSeconds>> clock_floor() override {
    return call("clock_floor", [&] { return behind_.clock_floor(); });
  }
  Result<void> raise_clock_floor(WallSeconds seen) override {
    return call("raise_clock_floor", [&] { return behind_.raise_clock_floor(seen); });
  }
  Result<void> reset_clock_floor(WallSeconds to) override {
    return call("reset_clock_floor", [&] { return behind_.reset_clock_floor(to); });
  }
  Result<void> append_audit(std::string_view json, bool durable) override {
    return call("append_audit", [&] { return behind_.append_audit(json, durable); });
  }
  Result<std::vector<std::string>> audit(std::size_t entries_max) override {
    return call("audit", [&] { return behind_.audit(entries_max); });
  }
  Result<void> append_decision(std::string_view json) override {
    return call("append_decision", [&] { return behind_.append_decision(json); });
  }
  Result<std::vector<std::string>> decisions(std::size_t entries_max) override {
    return call("decisions", [&] { return behind_.decisions(entries_max); });
  }
  Result<void> put_refresh_record(std::string_view url, std::string_view record) override {
    return call("put_refresh_record", [&] { return behind_.put_refresh_record(url, record); });
  }
  Result<void> erase_refresh_record(std::string_view url) override {
    return call("erase_refresh_record", [&] { return behind_.erase_refresh_record(url); });
  }
  Result<std::vector<std::pair<std::string, std::string>>> refresh_records() override {
    return call("refresh_records", [&] { return behind_.refresh_records(); });
  }

 private:
  template <class Function>
  auto call(std::string_view name, const Function& function) -> decltype(function()) {
    const std::lock_guard one_at_a_time(mutex_);
    if (on_call && !on_call(name)) {
      return fail(ErrorCode::unreachable, Blame::local, "the state cannot be written");
    }
    return function();
  }

  StateStore& behind_;
  std::mutex mutex_;
};

}  // namespace revcache::revocation::testing
