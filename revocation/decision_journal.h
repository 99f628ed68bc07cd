// What was decided, from which evidence, by which rule: one log line each, and the newest kept in
// the state database for the API and the status page (docs/formats.md). Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "metrics/log.h"
#include "revocation/answer_policy.h"
#include "revocation/snapshot.h"
#include "revocation/state_store.h"

namespace revcache::revocation {

// The evidence that an answer rests on. Texts, since it outlives the evidence.
struct DecisionEvidence {
  std::string kind;    // "crl", "delta_crl", "ocsp", "attestation"
  std::string url;     // where it came from; of an attestation: its reason
  std::string number;  // CRL number in hex; empty: none
  std::string sha256;  // of its DER, in hex
  std::optional<WallSeconds> this_update;
  std::optional<WallSeconds> valid_until;
};

struct DecisionRecord {
  WallSeconds at;
  std::string authority;  // empty: nobody we answer for
  std::string serial;     // lower-case hex
  Rule rule = Rule::no_evidence;
  std::string why;
  std::optional<DecisionEvidence> evidence;
  std::string signer;  // of signed answers, with their dates
  std::optional<WallSeconds> this_update;
  std::optional<WallSeconds> next_update;
  std::optional<WallSeconds> revoked_at;
  std::string reason;  // of a revocation: "keyCompromise"
};

// `issuer`: whom the decision is about, to find the CRL's URL; null: nobody known. Signer and
// next_update are for whoever signs to add; this_update is that of an answer signed at `at`.
DecisionRecord record_of(const Decision& decision, const Issuer* issuer, ByteView serial,
                         WallTime at);

// One JSON object (docs/formats.md, "Decisions"); the form in the state and the API.
std::string to_json(const DecisionRecord& record);

class DecisionJournal {
 public:
  // Both outlive it.
  DecisionJournal(StateStore& state, metrics::Log& log) : state_(state), log_(log) {}
  DecisionJournal(const DecisionJournal&) = delete;
  DecisionJournal& operator=(const DecisionJournal&) = delete;

  // An answer that was signed: logged, always, and kept. Blocks on the disk: pool threads. A
  // failure to keep it is counted, and logged when it begins and ends; the answer stands.
  void signed_answer(const DecisionRecord& record);

  // Nothing could be said (try_later, unauthorized). Never blocks; loops too. One line for each
  // authority and rule in kRefusalLogInterval, with how many there were in between: whoever asks
  // decides how often.
  void refused(const DecisionRecord& record, MonotonicTime now);

  // Signed answers that the state did not take, since the start.
  [[nodiscard]] std::uint64_t not_kept() const noexcept {
    return not_kept_.load(std::memory_order_relaxed);
  }

 private:
  struct Refusals {
    MonotonicTime logged_at;
    std::uint64_t unlogged = 0;
  };
  using RefusalKey = std::pair<std::string, Rule>;  // authority

  // How many were not logged since the last line; nullopt: this one is not logged either.
  std::optional<std::uint64_t> count_refusal(const DecisionRecord& record, MonotonicTime now);

  StateStore& state_;
  metrics::Log& log_;
  Guarded<std::map<RefusalKey, Refusals>> refusals_;
  std::atomic<std::uint64_t> not_kept_{0};
  std::atomic<bool> keeps_failing_{false};
};

inline constexpr std::chrono::seconds kRefusalLogInterval{10};
// Authorities and rules that are counted apart; past it the counts begin anew.
inline constexpr std::size_t kRefusalKindsMax = 1024;

}  // namespace revcache::revocation
