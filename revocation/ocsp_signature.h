// What one signature answers: made by OcspService on its loop, signed on a thread of the pool,
// taken back by the loop. Private to the service.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "pki/signer.h"
#include "revocation/answer_policy.h"
#include "revocation/ocsp_service.h"

namespace revcache::revocation {

struct OcspSignatureItem {
  std::string cert_id_der;
  std::string serial;                           // content octets
  const SigningAuthority* authority = nullptr;  // of the table
  Decision decision;
};

struct OcspSignature {
  std::vector<OcspSignatureItem> items{};  // at least one; all of one signer
  std::optional<std::string> nonce{};      // to be echoed
  pki::SignatureScheme scheme = pki::SignatureScheme::rsa_sha256;
  // What decisions and items point into.
  SnapshotPtr snapshot;
  ResponderTablePtr table;
  // Of an answer that may be shared; empty: it is for this client only.
  std::string question_key{};
  std::string identity{};
  WallTime now;  // when it was decided: producedAt
  MonotonicTime asked_at;
  MonotonicTime submitted_at{};
  unsigned attempts = 0;
  bool changed = false;    // since it was asked for: what was signed must not be said
  bool for_client = true;  // else it only keeps an answer ready

  [[nodiscard]] const SigningAuthority& authority() const { return *items.front().authority; }
  [[nodiscard]] bool is_shared() const noexcept { return !question_key.empty(); }
  [[nodiscard]] std::string key() const { return question_key + identity; }
};

// Blocks while the key signs: pool threads. The response as HTTP gives it, and what was decided,
// for the journal. Fails as pki::Signer::respond does.
Result<cache::StoredResponsePtr> sign_response(const OcspSignature& signature);
std::vector<DecisionRecord> records_of(const OcspSignature& signature);

}  // namespace revcache::revocation
