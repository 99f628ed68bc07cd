// What the admin API has done to the running instance. Fulfilled by proxy/admin_operations; knows
// neither HTTP nor JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "admin/status.h"
#include "base/callback.h"
#include "base/clock.h"
#include "pki/certificate.h"
#include "pki/crl_index.h"
#include "pki/diagnosis.h"
#include "revocation/decision_journal.h"

namespace revcache::admin {

enum class ProblemKind : std::uint8_t {
  unknown,      // no such authority, serial or URL
  conflict,     // not as long as the configuration says otherwise
  failed,       // it was tried: the state could not be read or written
  unavailable,  // not now
};

struct Problem {
  ProblemKind kind = ProblemKind::failed;
  std::string text;  // for the administrator who asked
};

template <class T>
using Done = std::expected<T, Problem>;

struct SerialOfAuthority {
  std::string authority;
  std::string serial;  // lower-case hex, no leading 00 (config::parse_serial)
};

struct RevocationOrder {
  SerialOfAuthority what;
  pki::CrlReason reason = pki::CrlReason::unspecified;
  std::string note;
};

struct RevocationReceipt {
  WallSeconds revoked_at;
  // The latest nextUpdate of the CRLs that are held of the authority: clients may have them too.
  std::optional<WallSeconds> crls_valid_until;
  // When an answer ends that we signed just before; nullopt: nobody signs for the authority.
  std::optional<WallSeconds> answers_valid_until{};
  // Event loops that may still answer by what they knew before.
  std::size_t loops_behind = 0;
};

// What would be answered, and why.
struct CertificateQuestion {
  pki::CertificatePtr certificate;
  std::string authority;  // asked at /ocsp/<authority>; empty: at /ocsp
};

// Evidence that verified, and still does not count.
struct UnusedEvidence {
  std::string kind;    // "delta_crl"
  std::string number;  // in hex; empty: none
  std::string reason;  // a pki::Refusal
  std::string detail;
};

struct Explanation {
  revocation::DecisionRecord record;
  std::vector<UnusedEvidence> unused;
  std::string issuer;            // its name; empty: nobody we know
  bool signature_holds = false;  // else the issuer was found by its name and key identifier
};

struct ListedRevocation {
  std::string authority;   // empty: none of the authorities that are configured now
  std::string issuer_key;  // SHA-256 in hex
  std::string serial;
  WallSeconds revoked_at;
  pki::CrlReason reason = pki::CrlReason::unspecified;
  std::string note;
  bool declared = false;  // by the configuration
};

// One of the two; neither: everything that is known.
struct RefreshTarget {
  std::string url;
  std::string authority;
};

struct RefreshedUrl {
  std::string url;
  std::string outcome;  // "changed", "unchanged", "failed", "refused"; "running": not over yet
  std::string detail;
  std::optional<WallSeconds> this_update;  // of the evidence that is held
  std::optional<WallSeconds> next_update;
};

// One of the three.
struct PurgeTarget {
  std::string url;
  std::string authority;
  bool everything = false;
  bool dry_run = false;  // counts, and changes nothing
};

struct Purged {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> urls;  // the first of them
  std::uint64_t more = 0;         // other URLs
};

struct CheckQuestion {
  std::vector<pki::CertificatePtr> chain;  // leaf first
  pki::Profile profile = pki::Profile::nps;
};

// Effective settings, secrets masked.
struct ShownConfig {
  std::string source;  // file; empty: the built-in defaults
  std::string json;    // an object with a member for each section
};

class Operations {
 public:
  virtual ~Operations() = default;

  // How it is now, judged. Blocks, thread-safe: pool threads.
  virtual Done<StatusReport> status() = 0;
  virtual Done<ShownConfig> shown_config() = 0;

  // These block and are thread-safe: pool threads. `by` is who asked, for the audit trail. A change
  // and its entry there are durable before the call returns.
  virtual Done<std::size_t> reset_floors(const std::string& authority, const std::string& by) = 0;
  virtual Done<RevocationReceipt> revoke(const RevocationOrder& order, const std::string& by) = 0;
  virtual Done<void> unrevoke(const SerialOfAuthority& what, const std::string& by) = 0;
  virtual Done<std::vector<ListedRevocation>> revoked() = 0;
  // JSON objects, the newest first.
  virtual Done<std::vector<std::string>> audit(std::size_t entries_max) = 0;
  virtual Done<std::vector<std::string>> decisions(std::size_t entries_max) = 0;
  // Takes stored responses out of the cache; evidence, state and manual revocations stay. May take
  // long.
  virtual Done<Purged> purge(const PurgeTarget& target, const std::string& by) = 0;
  // By what is known now. Changes nothing.
  virtual Done<Explanation> explain(const CertificateQuestion& question) = 0;

  // On the admin port's loop, where `done` runs later, unless the server ends before.
  virtual void refresh(const RefreshTarget& target,
                       Callback<Done<std::vector<RefreshedUrl>>> done) = 0;
  // Likewise: what NPS would say of this chain, as JSON (`revcache check --json`). Fetches what the
  // certificates name, as far as a client could through the proxy.
  virtual void check(CheckQuestion question, Callback<Done<std::string>> done) = 0;
};

}  // namespace revcache::admin
