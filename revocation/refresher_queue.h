// Whose turn it is: URLs that are due, and how many may be under way at once. Fair between hosts,
// so that one with thousands of URLs, or one that is dead, does not hold up the others. Pure; one
// thread; memory for each known host and each waiting URL.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace revcache::revocation {

enum class RefreshPriority : std::uint8_t {
  asked,    // by an administrator
  urgent,   // evidence missing or soon to lapse
  regular,  // goes first at each fourth turn, so that the urgent ones cannot starve it
};
inline constexpr std::size_t kRefreshPriorities = 3;

class RefresherQueue {
 public:
  struct Limits {
    std::size_t per_host_max = 2;
    std::size_t total_max = 8;
  };
  struct Turn {
    std::string host;
    std::string url;
  };

  explicit RefresherQueue(Limits limits) { set_limits(limits); }
  // 0 counts as 1. What is under way above a lowered limit ends by itself.
  void set_limits(Limits limits);

  // A host is remembered as silent as long as one URL of it is known. Called in pairs.
  void enter(const std::string& host);
  void leave(const std::string& host);

  // `url` of an entered host waits for its turn. It does not wait yet.
  void push(const std::string& host, std::string url, RefreshPriority priority);
  // It no longer waits.
  void erase(const std::string& host, std::string_view url);
  void clear();

  // The next one, if one may begin now. It counts as under way until finished().
  std::optional<Turn> take();
  // A host that did not answer is silent until it does: silent hosts get one fetch each and half
  // of total_max together, as each may take its whole time.
  void finished(const std::string& host, bool answered);

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }

 private:
  struct Host {
    std::array<std::deque<std::string>, kRefreshPriorities> waiting;
    std::size_t under_way = 0;
    std::size_t urls = 0;
    bool silent = false;
  };
  using Hosts = std::map<std::string, Host, std::less<>>;

  std::optional<Turn> take_of(RefreshPriority priority);
  [[nodiscard]] bool may_begin(const Host& host, RefreshPriority priority) const;
  void drop_if_idle(Hosts::iterator host);

  Limits limits_;
  Hosts hosts_;
  // By priority: hosts that have such URLs waiting, each once, in the order of their turns.
  std::array<std::list<Hosts::iterator>, kRefreshPriorities> turns_;
  std::size_t waiting_ = 0;
  std::size_t under_way_ = 0;
  std::size_t under_way_at_silent_ = 0;
  unsigned taken_ = 0;
};

}  // namespace revcache::revocation
