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
  const pki::OcspQuestion* question = nullptr;  // as read from `der` before; null: it was not
};

// An answer as HTTP gives it: the response, and how long ago it was signed.
struct OcspReply {
  cache::StoredResponsePtr response;
  std::chrono::seconds age{0};
  std::chrono::seconds ttl{0};
};

// What must be signed before the query can be answered. Owned: it outlives the query.
struct OcspSignature;
struct OcspSignatureItem;
struct DeleteOcspSignature {
  void operator()(OcspSignature* signature) const noexcept;
};
using OcspSignaturePtr = std::unique_ptr<OcspSignature, DeleteOcspSignature>;

// A response, or an error status (RFC 6960 4.2.1).
using OcspResult = std::variant<OcspReply, pki::OcspResponseStatus>;
using OcspNow = std::variant<OcspReply, pki::OcspResponseStatus, OcspSignaturePtr>;

// One per loop; loop thread only.
class OcspService {
 public:
  struct Options {
    std::size_t ready_answers_max = 4096;  // that this loop signs anew before they lapse
    std::uint64_t hash_seed = 0;           // random and secret: serials are chosen by clients
  };
  // All outlive it.
  struct Parts {
    OcspShared& shared;
    const LoopSnapshot& snapshot;
    const Clock& clock;
    net::BackgroundWork& background;
    net::Executor& executor;
    metrics::LoopMetrics& metrics;
    metrics::Log& log;
  };

  OcspService(const Parts& parts, Options options);
  OcspService(const OcspService&) = delete;
  OcspService& operator=(const OcspService&) = delete;
  ~OcspService();

  // Another table: answers of signers and policies that changed are not found any more.
  void apply(ResponderTablePtr table);
  [[nodiscard]] const ResponderTable& table() const noexcept { return *table_; }

  // Whether this question is about a certificate of an authority that lists this host among its
  // responder_hosts.
  [[nodiscard]] bool is_ours(const pki::OcspQuestion& question, std::string_view host,
                             std::uint16_t port) const;

  // What can be said at once, or what is to be signed. Counts.
  [[nodiscard]] OcspNow answer(const OcspQuery& query);

  // Signs off-loop, once for equal questions of all loops. `done` runs later, always, but at the
  // end of the loop: past the queue's limit with try_later, when the key does not sign with
  // internal_error. What is decided meanwhile counts: an answer that is no longer true is not
  // given.
  void sign(OcspSignaturePtr signature, Callback<OcspResult> done);

  // Answers that clients asked for and that lapse soon, or whose evidence changed, are signed anew
  // with nobody waiting: a few at a time. From a timer, about once a second.
  void renew();

 private:
  static std::size_t label_of(const SigningAuthority* authority) noexcept;

  struct Ready;      // one ready answer, by its question
  struct ReadyList;  // in order of being asked for

  // One CertID of a request with what is decided about it.
  struct Judged {
    pki::CertId cert_id;
    const SigningAuthority* authority = nullptr;  // null: nobody we answer for
    Decision decision{};
  };

  [[nodiscard]] static OcspSignatureItem item_of(const Judged& judged);
  [[nodiscard]] OcspReply reply_of(const Ready& ready) const;
  [[nodiscard]] OcspReply reply_of(const cache::StoredResponsePtr& response) const;
  [[nodiscard]] Judged judge(const pki::CertId& cert_id, std::string_view authority) const;
  [[nodiscard]] OcspNow answer_one(const OcspQuery& query, const pki::OcspQuestion& question);
  [[nodiscard]] OcspNow answer_freshly(const OcspQuery& query);
  [[nodiscard]] OcspNow fresh_signature(const OcspQuery& query, const pki::OcspRequest& request);
  void make_keys(const Judged& judged, pki::SignatureScheme scheme);
  [[nodiscard]] const Ready* find_ready();
  pki::OcspResponseStatus refuse(const Judged& judged);
  void count(const Judged& judged);
  std::optional<pki::OcspResponseStatus> judge_again(OcspSignature& signature);
  void submit(std::shared_ptr<OcspSignature> signature, Callback<OcspResult> done);
  void shed(const OcspSignature& signature, Callback<OcspResult> done);
  void finish(const std::shared_ptr<OcspSignature>& signature,
              const Result<cache::StoredResponsePtr>& result, Callback<OcspResult> done);
  void deliver(const std::shared_ptr<OcspSignature>& signature,
               const Result<cache::StoredResponsePtr>& result, Callback<OcspResult> done);
  void remember(const OcspSignature& signature, const cache::StoredResponsePtr& response);
  bool renew_one(Ready& ready);

  Parts parts_;
  Options options_;
  ResponderTablePtr table_;
  std::unique_ptr<ReadyList> ready_;
  // Scratch of the question being looked at.
  std::string question_key_;
  std::string identity_;
  unsigned renewals_ = 0;               // under way
  std::shared_ptr<OcspService*> self_;  // null target once destroyed
};

}  // namespace revcache::revocation
