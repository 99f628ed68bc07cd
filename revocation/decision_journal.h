// What was decided, from which evidence, by which rule: one log line each, and the newest kept in
// the state database for the API and the status page (docs/formats.md). Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

// `issuer`: whom the decision is about, to find the CRL's URL; null: nobody known.
DecisionRecord record_of(const Decision& decision, const Issuer* issuer, ByteView serial,
                         WallTime at);

// One JSON object; the form in the log, the state and the API.
std::string to_json(const DecisionRecord& record);

class DecisionJournal {
 public:
  // Both outlive it.
  DecisionJournal(StateStore& state, metrics::Log& log) : state_(state), log_(log) {}
  DecisionJournal(const DecisionJournal&) = delete;
  DecisionJournal& operator=(const DecisionJournal&) = delete;

  // An answer that was signed: logged, always, and kept. Blocks on the disk: pool threads. A
  // failure to keep it is logged and counted; the answer stands.
  void signed_answer(const DecisionRecord& record);

  // Nothing could be said (try_later, unauthorized). Never blocks; loops too. One line for each
  // authority and rule in kRefusalLogInterval, with how many there were in between: whoever asks
  // decides how often.
  void refused(const DecisionRecord& record, MonotonicTime now);

 private:
  StateStore& state_;
  metrics::Log& log_;
};

inline constexpr std::chrono::seconds kRefusalLogInterval{10};

}  // namespace revcache::revocation
