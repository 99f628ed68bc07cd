// Name resolution from a table, in virtual time.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "net/resolver.h"
#include "tests/sim/sim_scheduler.h"

namespace revcache::sim {

enum class NameAnswer : std::uint8_t { found, no_such_name, silence };

struct SimName {
  std::vector<IpAddress> addresses{};
  std::chrono::seconds ttl{60};
  std::chrono::nanoseconds delay{std::chrono::milliseconds(1)};
  NameAnswer answer = NameAnswer::found;
};

class SimResolver final : public net::Resolver {
 public:
  explicit SimResolver(SimScheduler& scheduler) : scheduler_(scheduler) {}

  // Replaces what is known of the name. Questions under way keep their answer.
  void set(const std::string& host, SimName name) { names_[host] = std::move(name); }
  // Address literals, in the order that they are to be given.
  void set(const std::string& host, std::initializer_list<std::string_view> addresses);
  [[nodiscard]] SimName& name(const std::string& host) { return names_[host]; }

  void resolve(const std::string& host, std::chrono::milliseconds timeout,
               Callback<Result<net::ResolvedHost>> done) override;

  // Every name asked for, in order.
  [[nodiscard]] const std::vector<std::string>& questions() const noexcept { return questions_; }

 private:
  SimScheduler& scheduler_;
  std::map<std::string, SimName> names_;
  std::vector<std::string> questions_;
};

}  // namespace revcache::sim
