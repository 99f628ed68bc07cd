// What is purged: which stored responses a purge takes, and which purges there were, so that a
// fetch that was under way at that moment does not bring an older answer back. Pure but for the
// log.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/guarded.h"

namespace revcache::cache {

// By key (cache_key.h). Immutable once a purge has begun; any thread.
struct PurgeScope {
  using Names = std::set<std::string, std::less<>>;

  bool everything = false;
  Names urls;        // normalised, with all variants under Vary
  Names ocsp_keys;   // one OCSP question each, with all variants
  Names responders;  // origins, "http://host[:port]": every OCSP answer of them
  // OCSP answers about these CertIDs, whoever gave them; null: none. Pure, any thread.
  std::function<bool(ByteView cert_id_der)> certificates;

  [[nodiscard]] bool covers(std::string_view key) const;
  // Only keys that begin with one of these can be covered. Empty: any can.
  [[nodiscard]] std::set<std::string> prefixes() const;
};

// How a key is called to an administrator: its URL; of an OCSP answer the responder's origin.
[[nodiscard]] std::string_view url_of_key(std::string_view key) noexcept;

// Thread-safe. A purge is under way from begin() to end(): meanwhile nothing that it covers is
// stored. What was asked for before end() is not stored later either.
class PurgeLog {
 public:
  static constexpr std::size_t kPurgesMax = 64;  // older ones count as having covered everything

  using Mark = std::uint64_t;
  // For a request that begins now.
  [[nodiscard]] Mark mark() const noexcept { return ended_.load(); }

  void begin(const std::shared_ptr<const PurgeScope>& scope);
  void end(const std::shared_ptr<const PurgeScope>& scope);

  // True: what a request of this mark got under `key` must not be stored. Without any purge since,
  // this reads one word.
  [[nodiscard]] bool forbids(std::string_view key, Mark mark) const {
    return mark < newest_.load() && was_purged(key, mark);
  }

 private:
  static constexpr Mark kUnderWay = UINT64_MAX;

  struct Purge {
    std::shared_ptr<const PurgeScope> scope;
    Mark ended = kUnderWay;
  };
  struct State {
    std::deque<Purge> purges;  // in the order of their beginning
    Mark forgotten = 0;        // of the last one that is not kept any more
  };

  [[nodiscard]] bool was_purged(std::string_view key, Mark mark) const;
  void tell(const State& state) noexcept;

  std::atomic<Mark> ended_{0};   // how many have ended
  std::atomic<Mark> newest_{0};  // the same, or kUnderWay
  Guarded<State> state_;
};

}  // namespace revcache::cache
