// `check`: walks a chain as NPS does, fetches what its certificates name, and diagnoses it.
// Blocking as its source is; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "pki/certificate.h"
#include "pki/diagnosis.h"
#include "pki/evidence_fetch.h"
#include "pki/http_source.h"

namespace revcache::pki {

// What is at hand.
struct CheckInput {
  std::vector<CertificatePtr> chain;    // leaf first; never empty
  std::vector<CertificatePtr> anchors;  // empty: a root in the chain is trusted
  std::vector<CertificatePtr> extra;    // issuers, not trusted
  std::vector<Evidence> evidence;       // given by the user
  // What is known already about certificates of this issuer; null: nothing.
  std::function<std::vector<Evidence>(const Certificate& issuer)> known;
};

class ChainCheck {
 public:
  ChainCheck(CheckInput input, EvidenceRules rules, Profile profile);
  // Without it nothing is fetched. `http` outlives this.
  void fetch_from(HttpSource& http, std::uint64_t hash_seed);

  Diagnosis run();

 private:
  void build();
  void add_untrusted(const std::vector<CertificatePtr>& more,
                     std::vector<CertificatePtr>& candidates) const;
  [[nodiscard]] bool lacks_issuer() const;
  void gather();
  void remark_unused(Diagnosis& diagnosis) const;

  CheckInput input_;
  std::optional<EvidenceFetch> fetch_;
  DiagnosisQuestion question_;
};

}  // namespace revcache::pki
