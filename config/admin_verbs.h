// The verbs that talk to a running instance: status, floor, revoke, unrevoke, revoked, refresh,
// purge, policy.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>

#include "config/command_line.h"

namespace revcache::config {

// Declares them in `app`; both outlive it.
class AdminVerbs {
 public:
  explicit AdminVerbs(CLI::App& app);

  // Which of them was named, after parsing.
  [[nodiscard]] std::optional<Verb> parsed() const;
  [[nodiscard]] const AdminArguments& arguments() const noexcept { return arguments_; }

 private:
  void declare_revocations(CLI::App& app);
  void declare_purge(CLI::App& app);
  void declare_policy(CLI::App& app);
  void add_serial(CLI::App& verb);
  void add_common(CLI::App& verb);

  AdminArguments arguments_;
  CLI::App* status_ = nullptr;
  CLI::App* floor_reset_ = nullptr;
  CLI::App* revoke_ = nullptr;
  CLI::App* unrevoke_ = nullptr;
  CLI::App* revoked_ = nullptr;
  CLI::App* refresh_ = nullptr;
  CLI::App* purge_ = nullptr;
  CLI::App* policy_explain_ = nullptr;
};

}  // namespace revcache::config
