// For whom we answer, by which policy, and with which signer, at one moment. Immutable; sent to
// every loop as a whole when settings, signer files or the standing of a signer change.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
  // Of the signer's certificate and its chain, all of which answers hold: another signer, another
  // answer.
  pki::Sha256 signer_hash{};
  std::size_t label = 0;  // position among the authorities: metrics

  [[nodiscard]] bool signs_at(WallTime now) const noexcept {
    return signer != nullptr && may_sign && now < WallTime(signer_not_after);
  }
  // What is answered about a serial of `issuer`, the one with this key: decide(), but
  // Rule::signer_unusable in place of what nobody can sign now.
  [[nodiscard]] Decision decide(const Snapshot& known, const Issuer& issuer, ByteView serial,
                                const Standing& standing, WallTime now) const;
  // `host` without port, as URIs have it; an entry of responder_hosts without port means port 80.
  [[nodiscard]] bool answers_for_host(std::string_view host, std::uint16_t port) const noexcept;
};

struct ResponderTable {
  std::vector<SigningAuthority> authorities;

  // nullptr: we do not answer for that key.
  [[nodiscard]] const SigningAuthority* find(const pki::KeyHash& key) const noexcept;
  [[nodiscard]] const SigningAuthority* find(std::string_view name) const noexcept;
  // Some authority does.
  [[nodiscard]] bool answers_for_host(std::string_view host, std::uint16_t port) const noexcept;
};
using ResponderTablePtr = std::shared_ptr<const ResponderTable>;

// A token is asked once a minute whether its key still signs. One that failed is opened again after
// kTokenRetryMin, then after twice that, up to kTokenRetryMax: a wrong PIN counts against it. While
// it is silent it counts as unusable in signers(), but the table stays: answers that are ready are
// as good as before.
inline constexpr std::chrono::minutes kTokenProbeInterval{1};
inline constexpr std::chrono::minutes kTokenRetryMin{1};
inline constexpr std::chrono::minutes kTokenRetryMax{60};
inline constexpr std::chrono::hours kSignerAlarmInterval{24};

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
  // that names it: the detail says which, why and what to do; the table stays as it was. Dates
  // alone do not fail it, since no restart may fail for the time that has passed: such a signer may
  // not sign, which is logged. Files that have not changed since they were read are not read again,
  // and tokens of theirs not opened.
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
  // A signer as it is in use.
  struct Held {
    SignerSource source;
    pki::SignerPtr signer{};             // not null
    pki::SignerFingerprint fingerprint;  // of the files that it came from

    // Why it is not what the files hold now; empty: it is.
    std::string problem{};
    pki::SignerFingerprint problem_fingerprint{};  // of the files that were tried last
    pki::SignerPtr waiting{};  // of those: read, but there is an objection; may be null

    WallTime probed;                    // of a token
    std::string silence{};              // why its key did not sign then; empty: it did
    bool was_usable = true;             // as logged
    std::optional<WallTime> alarmed{};  // when its alarms were logged
  };
  struct TokenFailure {
    WallTime at;
    std::chrono::seconds wait;  // until it may be tried again
  };
  struct Published {
    ResponderTablePtr table = std::make_shared<const ResponderTable>();
    std::vector<SignerStatus> signers;
  };

  // All under work_.
  Result<Held> hold(const SignerSource& source, const std::vector<AnsweredAuthority>& authorities,
                    WallTime now);
  Result<pki::SignerPtr> read(const pki::SignerFiles& files, WallTime now);
  [[nodiscard]] bool may_try(const std::string& key, std::chrono::seconds wait, WallTime now);
  void look_at(Held& held, WallTime now);
  bool await_successor(Held& held, const pki::SignerFingerprint& current, WallTime now);
  void probe(Held& held, WallTime now);
  [[nodiscard]] std::string objection(const Held& held, const pki::Signer& candidate,
                                      WallTime now) const;
  void note_problem(Held& held, const pki::SignerFingerprint& current, std::string problem);
  void say_loaded(const Held& held);
  [[nodiscard]] SignerStatus judge(const Held& held, WallTime now) const;
  void say_changes(Held& held, const SignerStatus& status, WallTime now);
  [[nodiscard]] ResponderTable make_table(WallTime now) const;
  enum class Unchanged : bool { keep, publish };
  void publish(Unchanged unchanged, WallTime now);

  metrics::Log& log_;
  std::function<void(ResponderTablePtr)> publish_;
  // Held while files and tokens are read and while a table is published: tables leave in the order
  // in which they were made. Before published_.
  std::mutex work_;
  std::vector<Held> held_;
  std::vector<AnsweredAuthority> authorities_;
  std::map<std::string, TokenFailure, std::less<>> token_failures_;  // by URI, PIN and all
  Guarded<Published> published_;                                     // never waits for files
};

}  // namespace revcache::revocation
