// OCSP answers of an authority's own responder that say good: evidence for certificates that no CRL
// here covers (docs/architecture.md, order of evidence, 4). Immutable, shared by snapshots; any
// thread. Those that say revoked are remembered with the revocations seen.
//
// They live in memory: after a restart the same answer, fetched again, is held again.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "pki/certificate.h"

namespace revcache::revocation {

struct HeldAnswer {
  std::string serial;  // significant octets
  WallSeconds this_update;
  WallSeconds next_update;  // an answer without one is no evidence for later
  std::string url;          // of the responder
  // Of a delegated responder's certificate that may be revoked: with it go its answers. Significant
  // octets; empty: the CA itself signed, or a responder that needs no check (RFC 6960 4.2.2.2.1).
  std::string responder_serial;
  pki::Sha256 hash{};  // of the whole response
};
using HeldAnswerPtr = std::shared_ptr<const HeldAnswer>;

// Of one issuer, in order of serial.
class HeldAnswers {
 public:
  // nullptr: none.
  [[nodiscard]] HeldAnswerPtr find(ByteView serial) const;
  [[nodiscard]] std::size_t size() const noexcept { return answers_.size(); }
  [[nodiscard]] const std::vector<HeldAnswerPtr>& all() const noexcept { return answers_; }

  // A copy with `answer` in place of one of its serial that is not newer. Those that are over at
  // `now` go; past `answers_max` the one that ends first.
  [[nodiscard]] HeldAnswers with(HeldAnswer answer, std::size_t answers_max, WallTime now) const;
  // A copy without that serial: something else was said about it.
  [[nodiscard]] HeldAnswers without(ByteView serial) const;

 private:
  std::vector<HeldAnswerPtr> answers_;
};

}  // namespace revcache::revocation
