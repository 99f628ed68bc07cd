// Stands in for a state database that cannot be read: every call gives the error that opening gave.
// So the proxy goes on serving what needs no state, answers nothing that rests on evidence, and
// says that it is not ready, until an administrator decides.
#pragma once

#include <utility>

#include "revocation/state_store.h"

namespace revcache::revocation {

// Thread-safe.
class UnreadableState final : public StateStore {
 public:
  explicit UnreadableState(Error why) : why_(std::move(why)) {}

  Result<std::optional<Floor>> floor(const FloorKey&) override { return failed(); }
  Result<void> accept_crl(const FloorKey&, const Floor&, std::span<const SeenRevocation>,
                          std::span<const std::string>) override {
    return failed();
  }
  Result<void> accept_ocsp(const FloorKey&, const Floor&, const std::optional<SeenRevocation>&,
                           const std::optional<std::string>&) override {
    return failed();
  }
  Result<void> for_each_seen(const FloorKey&,
                             const std::function<bool(const SeenRevocation&)>&) override {
    return failed();
  }
  Result<void> for_each_seen_of_issuer(
      const pki::KeyHash&,
      const std::function<bool(const FloorKey&, const SeenRevocation&)>&) override {
    return failed();
  }
  Result<std::size_t> reset_floors(const pki::KeyHash&) override { return failed(); }
  Result<void> put_issuer(const pki::KeyHash&, std::string_view) override { return failed(); }
  Result<std::vector<std::string>> issuers() override { return failed(); }
  Result<void> revoke(const ManualRevocation&) override { return failed(); }
  Result<bool> unrevoke(const pki::KeyHash&, std::string_view) override { return failed(); }
  Result<std::vector<ManualRevocation>> manual_revocations() override { return failed(); }
  Result<std::optional<WallSeconds>> clock_floor() override { return failed(); }
  Result<void> raise_clock_floor(WallSeconds) override { return failed(); }
  Result<void> reset_clock_floor(WallSeconds) override { return failed(); }
  Result<void> append_audit(std::string_view, bool) override { return failed(); }
  Result<std::vector<std::string>> audit(std::size_t) override { return failed(); }
  Result<void> append_decision(std::string_view) override { return failed(); }
  Result<std::vector<std::string>> decisions(std::size_t) override { return failed(); }
  Result<void> put_refresh_record(std::string_view, std::string_view) override { return failed(); }
  Result<void> erase_refresh_record(std::string_view) override { return failed(); }
  Result<std::vector<std::pair<std::string, std::string>>> refresh_records() override {
    return failed();
  }

 private:
  [[nodiscard]] std::unexpected<Error> failed() const { return std::unexpected(why_); }

  const Error why_;
};

}  // namespace revcache::revocation
