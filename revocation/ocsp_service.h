// The OCSP responder (RFC 6960, RFC 9919): takes a request, decides anew from the snapshot, and
// gives an answer that was signed before, or says what must be signed. A ready answer is found by
// what it says, so that one that newer evidence, a manual revocation or another signer contradicts
// is not found any more: there is nothing to purge.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/callback.h"
#include "base/clock.h"
#include "base/ip_address.h"
#include "cache/coalescer.h"
#include "cache/memory_tier.h"
#include "cache/stored_response.h"
#include "metrics/metrics.h"
#include "net/background_work.h"
#include "net/executor.h"
#include "pki/ocsp_request.h"
#include "revocation/answer_policy.h"
#include "revocation/clock_guard.h"
#include "revocation/decision_journal.h"
#include "revocation/nonce_budget.h"
#include "revocation/publisher.h"
#include "revocation/responder_table.h"

namespace revcache::revocation {

// Shared by all loops; thread-safe.
struct OcspShared {
  cache::MemoryTier& memory;  // ready answers lie beside the cached objects, in the same bound
  cache::Coalescer& signatures;
  NonceBudget& nonce_budget;
  const ClockGuard& clock_guard;
  DecisionJournal& journal;
  bool state_unreadable = false;
};

// Views must outlive the call.
struct OcspQuery {
  ByteView der;                // the OCSPRequest
  std::string_view authority;  // of /ocsp/<authority>; empty: whichever is asked about
  IpAddress client;
};

// An HTTP answer: the response, and how long ago it was signed.
struct OcspReply {
  cache::StoredResponsePtr response;
  std::chrono::seconds age{0};
  std::chrono::seconds ttl{0};
};

// What must be signed before the query can be answered. Owned: it outlives the query.
struct OcspSignature;
using OcspSignaturePtr = std::unique_ptr<OcspSignature>;

// One per loop; loop thread only.
class OcspService {
 public:
  struct Options {
    std::size_t ready_answers_max = 4096;  // that this loop keeps asking for before they lapse
  };
  // All outlive it.
  struct Parts {
    OcspShared& shared;
    const LoopSnapshot& snapshot;
    const Clock& clock;
    net::BackgroundWork& background;
    net::Executor& executor;
    metrics::LoopMetrics& metrics;
  };

  OcspService(const Parts& parts, Options options);
  OcspService(const OcspService&) = delete;
  OcspService& operator=(const OcspService&) = delete;
  ~OcspService();

  // Another table: answers of signers and policies that changed are not found any more.
  void apply(ResponderTablePtr table);
  [[nodiscard]] const ResponderTable& table() const noexcept { return *table_; }

  // True when this question is about a certificate of an authority that answers for this host.
  [[nodiscard]] bool is_ours(ByteView request_der, std::string_view host, std::uint16_t port) const;

  // An answer that is ready (an error status too), or what is to be signed.
  [[nodiscard]] std::variant<OcspReply, OcspSignaturePtr> answer(const OcspQuery& query);

  // Signs off-loop, once for equal questions of all loops. `done` runs later, always: past the
  // queue's limit, or when the key does not sign, with tryLater.
  void sign(OcspSignaturePtr signature, Callback<OcspReply> done);

  // Answers that were asked for and lapse soon, or whose evidence changed, are signed anew with
  // nobody waiting: a few at a time. From a timer, about once a second.
  void renew();

 private:
  Parts parts_;
  Options options_;
  ResponderTablePtr table_;
};

}  // namespace revcache::revocation
