// How many fresh signatures clients may cost (RFC 9654; configuration [ocsp] nonce_budget): a token
// bucket for all, and one of a tenth of it for each client address. Beyond it a nonce-less answer
// is given. Thread-safe; asked for requests that need a signature of their own, never for ready
// ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/ip_address.h"

namespace revcache::revocation {

// Clients whose buckets are not full, at most: past it, the one that asked longest ago is
// forgotten.
inline constexpr std::size_t kNonceClientsMax = 4096;

class NonceBudget {
 public:
  // `per_second` 0: no fresh signatures. A burst of one second's worth, at least 1, is allowed.
  explicit NonceBudget(double per_second);
  ~NonceBudget();
  NonceBudget(const NonceBudget&) = delete;
  NonceBudget& operator=(const NonceBudget&) = delete;

  // True: one signature is taken from both buckets; false: from neither.
  [[nodiscard]] bool take(const IpAddress& client, MonotonicTime now);
  // After a reload.
  void set_rate(double per_second);

 private:
  struct State;
  Guarded<std::unique_ptr<State>> state_;
};

}  // namespace revcache::revocation
