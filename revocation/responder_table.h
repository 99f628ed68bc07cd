// For whom we answer, by which policy, and with which signer, at one moment. Immutable; sent to
// every loop as a whole when settings, signer files or the standing of a signer change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "metrics/log.h"
#include "pki/certificate.h"
#include "pki/signer.h"
#include "pki/signer_check.h"
#include "pki/signer_files.h"
#include "revocation/answer_policy.h"

namespace revcache::revocation {

// A [[signer]].
struct SignerSource {
  std::string name;
  pki::SignerFiles files;
};

// An [[authority]] that has a signer: what we answer for.
struct AnsweredAuthority {
  std::string name;
  pki::CertificatePtr certificate;
  std::string signer;                        // name of a SignerSource
  std::vector<std::string> responder_hosts;  // "host" or "host:port", lower case
  AnswerPolicy policy;
};

struct SigningAuthority {
  std::string name;
  pki::KeyHash key{};
  std::vector<std::string> responder_hosts;
  AnswerPolicy policy;
  std::string signer_name;
  pki::SignerPtr signer;         // nullptr: it could not be read
  bool may_sign = false;         // as of the last look: entitled and within its dates
  WallSeconds signer_not_after;  // of the signer's certificate and those that vouch for it
  pki::Sha256 signer_hash{};     // of the signer's certificate: another signer, another answer
  std::size_t label = 0;         // position among the authorities: metrics
};

struct ResponderTable {
  std::vector<SigningAuthority> authorities;

  // nullptr: we do not answer for that key.
  [[nodiscard]] const SigningAuthority* find(const pki::KeyHash& key) const noexcept;
  [[nodiscard]] const SigningAuthority* find(std::string_view name) const noexcept;
  [[nodiscard]] bool answers_for_host(std::string_view host, std::uint16_t port) const noexcept;
};
using ResponderTablePtr = std::shared_ptr<const ResponderTable>;

// Reads the signers, checks them against the authorities that use them, looks again when their
// files change and as their dates pass. Thread-safe; calls that read files or tokens block: pool
// threads and start-up.
class SignerWatch {
 public:
  explicit SignerWatch(metrics::Log& log) : log_(log) {}
  SignerWatch(const SignerWatch&) = delete;
  SignerWatch& operator=(const SignerWatch&) = delete;

  // Called with each new table, on the thread that made it, one call at a time and in order. Before
  // anything else.
  void on_change(std::function<void(ResponderTablePtr)> publish) { publish_ = std::move(publish); }

  // Start and reload. Blocks. Fails when a signer cannot be read or must not sign for an authority
  // that names it: the detail says which, why and what to do; the table stays as it was.
  Result<void> configure(std::vector<SignerSource> signers,
                         std::vector<AnsweredAuthority> authorities, WallTime now);

  // About each ten seconds. Blocks. Files that changed are read anew; one that cannot be read, or
  // that does not fit, leaves the old signer in use and is logged once per change. A signer that is
  // over, or not yet valid, may no longer sign. Findings of severity alarm are logged once a day.
  void look_again(WallTime now);

  [[nodiscard]] ResponderTablePtr table() const;

  // For metrics and the status page.
  struct SignerStatus {
    std::string name;
    bool usable = false;
    WallSeconds not_after;
    std::vector<pki::SignerFinding> findings;  // of all authorities that use it
    std::string problem;                       // of the last look; empty: none
  };
  [[nodiscard]] std::vector<SignerStatus> signers() const;

 private:
  metrics::Log& log_;
  std::function<void(ResponderTablePtr)> publish_;
};

}  // namespace revcache::revocation
