// One Evidence over a state that outlives it, with CAs that sign for real: what is judged, held and
// published, and what a restart or a failing disk makes of it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "pki/ocsp_builder.h"
#include "pki/signer.h"
#include "revocation/evidence.h"
#include "tests/pki/crl_factory.h"
#include "tests/pki/der_text.h"
#include "tests/revocation/hooked_state_store.h"
#include "tests/sim/memory_state_store.h"

namespace revcache::revocation::testing {

using namespace std::chrono_literals;

inline constexpr std::string_view kUrl = "http://cdp.example/root.crl";

// Stands still at pki::test_now() until it is moved. One thread moves it.
class StillClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return now; }
  [[nodiscard]] MonotonicTime monotonic() const override { return {}; }
  WallTime now = pki::test_now();
};

// Octets of a CRL number or a serial, 1 to 127.
inline std::string number(int value) { return {static_cast<char>(value)}; }

// The time `hours` before pki::test_now().
inline WallSeconds hours_ago(int hours) {
  return std::chrono::floor<std::chrono::seconds>(pki::test_now()) - std::chrono::hours(hours);
}

inline std::string time_element(WallSeconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const auto two = [](auto value) {
    const auto text = std::to_string(static_cast<long>(value));
    return text.size() < 2 ? "0" + text : text;
  };
  return pki::utc_time(two(static_cast<int>(date.year()) % 100) +
                       two(static_cast<unsigned>(date.month())) +
                       two(static_cast<unsigned>(date.day())) + two(clock.hours().count()) +
                       two(clock.minutes().count()) + two(clock.seconds().count()) + "Z");
}

struct CertificateWanted {
  std::string subject;
  int serial = 1;
  std::string extensions = {};
  std::string not_before = pki::utc_time("260101000000Z");
  std::string not_after = pki::utc_time("360101000000Z");
};

// Issued by `issuer` for the key of `holder`, whose own name does not matter.
inline pki::CertificatePtr issue(const pki::CrlSigner& issuer, const pki::CrlSigner& holder,
                                 const CertificateWanted& wanted) {
  const std::string extensions = wanted.extensions.empty()
                                     ? std::string()
                                     : pki::der(0xa3, {pki::der(0x30, {wanted.extensions})});
  const std::string tbs =
      pki::der(0x30, {pki::der(0xa0, {pki::integer("\x02")}), pki::integer(number(wanted.serial)),
                      issuer.algorithm(), as_text(issuer.certificate()->subject),
                      pki::der(0x30, {wanted.not_before, wanted.not_after}),
                      pki::name(wanted.subject), as_text(holder.certificate()->spki), extensions});
  auto certificate = pki::parse_certificate(SharedBytes::take(issuer.sign(tbs)));
  CHECK(certificate.has_value());
  return *std::move(certificate);
}

// Basic constraints and key usage of a CA; `path_length` below 0: none.
inline std::string ca_extensions(int path_length = -1, std::string_view key_usage = "\x01\x06") {
  std::string constraints = pki::der(0x01, {"\xff"});
  if (path_length >= 0) {
    constraints += pki::integer(std::string(1, static_cast<char>(path_length)));
  }
  return pki::extension(pki::id_ce(19), pki::der(0x30, {constraints}), true) +
         pki::extension(pki::id_ce(15), pki::der(0x03, {key_usage}), true);
}

// A CA with a new key and a self-signed certificate, which may sign certificates and CRLs.
inline pki::CrlSigner make_ca(std::string name = "Root") {
  return pki::CrlSigner({.common_name = std::move(name), .extensions = ca_extensions()});
}

// Signs OCSP answers with the key of `ca`, under `certificate`.
inline pki::SignerPtr ocsp_signer(const pki::CrlSigner& ca, pki::CertificatePtr certificate) {
  EVP_PKEY_up_ref(ca.key());
  const std::shared_ptr<EVP_PKEY> key(ca.key(), [](EVP_PKEY* held) { EVP_PKEY_free(held); });
  auto signer = pki::Signer::make({std::move(certificate)},
                                  std::make_shared<const pki::SignerKey>(key, nullptr));
  CHECK(signer.has_value());
  return *std::move(signer);
}
inline pki::SignerPtr ocsp_signer(const pki::CrlSigner& ca) {
  return ocsp_signer(ca, ca.certificate());
}

class AnyProof final : public pki::ProofOfGood {};

struct Listed {
  int serial = 0;
  pki::CrlReason reason = pki::CrlReason::key_compromise;
};

struct CrlWanted {
  int number = 5;
  std::optional<int> base = {};  // a delta CRL
  int made_hours_ago = 24;
  int valid_hours = 168;
  std::vector<Listed> entries = {};
  std::string scope = {};  // issuing_point(…); empty: complete
  std::string issuer = "Root";
};

inline std::string crl_of(const pki::CrlSigner& signer, const CrlWanted& wanted) {
  pki::CrlText text;
  text.issuer = pki::name(wanted.issuer);
  const WallSeconds made = hours_ago(wanted.made_hours_ago);
  text.this_update = time_element(made);
  text.next_update = time_element(made + std::chrono::hours(wanted.valid_hours));
  for (const Listed& listed : wanted.entries) {
    const auto reason = static_cast<unsigned>(listed.reason);
    text.entries += pki::entry(number(listed.serial),
                               reason == 0 ? std::string() : pki::reason_extension(reason));
  }
  text.has_list = !wanted.entries.empty();
  text.extensions = pki::extension(pki::id_ce(20), pki::integer(number(wanted.number)));
  if (wanted.base) {
    text.extensions += pki::extension(pki::id_ce(27), pki::integer(number(*wanted.base)), true);
  }
  text.extensions += wanted.scope;
  return signer.crl(text);
}

struct AnswerWanted {
  int serial = 0;
  pki::OcspCertStatus status = pki::OcspCertStatus::good;
  pki::CrlReason reason = pki::CrlReason::key_compromise;
  int made_hours_ago = 1;
  int valid_hours = 48;
  pki::CertIdHash hash = pki::CertIdHash::sha1;
};

inline std::string question_of(const pki::Certificate& issuer, const AnswerWanted& wanted) {
  return pki::encode_ocsp_request(
      pki::encode_cert_id(wanted.hash, issuer, as_bytes(number(wanted.serial))));
}

// Signed by the key of `signer`, whose certificate is embedded, about a certificate of `issuer`.
inline std::string answer_of(const pki::Signer& signer, const pki::Certificate& issuer,
                             const AnswerWanted& wanted) {
  const std::string cert_id =
      pki::encode_cert_id(wanted.hash, issuer, as_bytes(number(wanted.serial)));
  const WallSeconds made = hours_ago(wanted.made_hours_ago);
  pki::StatusToSign status;
  if (wanted.status == pki::OcspCertStatus::good) status = pki::StatusToSign::good(AnyProof());
  if (wanted.status == pki::OcspCertStatus::revoked) {
    status = pki::StatusToSign::revoked(made - 1min, wanted.reason);
  }
  const pki::SingleAnswer answer{.cert_id_der = as_bytes(cert_id),
                                 .status = status,
                                 .this_update = made,
                                 .next_update = made + std::chrono::hours(wanted.valid_hours)};
  auto response = signer.respond(
      {.responder = nullptr, .produced_at = made, .answers = std::span(&answer, 1), .nonce = {}},
      signer.scheme_for({}));
  CHECK(response.has_value());
  return *std::move(response);
}

struct Bounds {
  std::uint64_t bytes = std::uint64_t{1} << 30U;
  std::size_t issuers = 256;
  std::size_t answers = 256;
};

// A process: what it knows is lost by restart(), but for the state.
class EvidenceWorld {
 public:
  explicit EvidenceWorld(Bounds bounds = {}) {
    options_.bytes_max = bounds.bytes;
    options_.issuers_max = bounds.issuers;
    options_.held_answers_max = bounds.answers;
    options_.hash_seed = pki::kTestHashSeed;
    start();
  }

  void start() {
    evidence_.reset();
    guard_.emplace(hooked, clock);
    CHECK(guard_->load().has_value());
    evidence_ =
        std::make_unique<Evidence>(Evidence::Parts{hooked, *guard_, counters, log}, options_);
    evidence_->on_change([this](const SnapshotPtr& made) {
      published = made;
      ++changes;
    });
  }
  // Anew over the same state, with the authorities of before.
  void restart() {
    start();
    CHECK(reload().has_value());
  }
  Result<void> trust(const std::vector<pki::CertificatePtr>& certificates,
                     const std::vector<std::string>& urls = {}, std::chrono::seconds grace = 0s) {
    authorities_.clear();
    for (const auto& certificate : certificates) {
      TrustedAuthority authority;
      authority.name = "ca" + std::to_string(authorities_.size());
      authority.certificate = certificate;
      if (authorities_.empty()) authority.crl_urls = urls;
      authority.grace = grace;
      authorities_.push_back(std::move(authority));
    }
    return reload();
  }
  Result<void> reload() { return evidence_->set_authorities(authorities_, clock.now); }

  Result<cache::Admitted> give(ObjectKind kind, std::string body, std::string_view url = kUrl,
                               std::string question = {}) {
    return evidence_->consider(request(kind, std::move(body), url, std::move(question)));
  }
  [[nodiscard]] cache::AdmissionRequest request(ObjectKind kind, std::string body,
                                                std::string_view url = kUrl,
                                                std::string question = {}) const {
    cache::AdmissionRequest made;
    made.kind = kind;
    made.url = url;
    made.body = SharedBytes::take(std::move(body));
    made.request_body = SharedBytes::take(std::move(question));
    made.now = clock.now;
    return made;
  }
  // "verified", "unverified", "failure", or the name of the reason for which it is refused.
  std::string verdict(ObjectKind kind, std::string body, std::string_view url = kUrl,
                      std::string question = {}) {
    return word_for(give(kind, std::move(body), url, std::move(question)));
  }
  static std::string word_for(const Result<cache::Admitted>& given) {
    if (!given) return given.error().detail.substr(0, given.error().detail.find(':'));
    if (given->is_failure) return "failure";
    return given->trust == cache::Trust::verified ? "verified" : "unverified";
  }
  std::string crl(const pki::CrlSigner& signer, const CrlWanted& wanted,
                  std::string_view url = kUrl) {
    return verdict(ObjectKind::crl, crl_of(signer, wanted), url);
  }
  std::string answer(const pki::Signer& signer, const pki::Certificate& issuer,
                     const AnswerWanted& wanted) {
    return verdict(ObjectKind::ocsp, answer_of(signer, issuer, wanted), "http://ocsp.example/",
                   question_of(issuer, wanted));
  }

  // What is published of a serial: "good", "unknown", or the source and reason of a revocation.
  [[nodiscard]] std::string status(const pki::Certificate& issuer, int serial,
                                   const AboutCertificate& about = {}) const {
    const Issuer* known = published->find(pki::key_hash(issuer));
    if (known == nullptr) return "no issuer";
    const std::string octets = number(serial);
    const auto found = Snapshot::status(*known, as_bytes(octets), about, clock.now);
    if (const auto* revoked = std::get_if<Revoked>(&found)) {
      return std::string(to_string(revoked->source)) + " " +
             std::string(pki::to_string(revoked->reason));
    }
    return std::holds_alternative<NotRevoked>(found) ? "good" : "unknown";
  }
  [[nodiscard]] std::uint64_t refused(ObjectKind kind, pki::Refusal reason) const {
    return counters.refused[static_cast<std::size_t>(kind)][static_cast<std::size_t>(reason)]
        .value();
  }
  Evidence& evidence() { return *evidence_; }

  sim::MemoryStateStore state;
  HookedStateStore hooked{state};  // what Evidence writes to
  StillClock clock;
  EvidenceCounters counters;
  metrics::NullLog log;
  SnapshotPtr published;
  std::size_t changes = 0;

 private:
  Evidence::Options options_;
  std::vector<TrustedAuthority> authorities_;
  std::optional<ClockGuard> guard_;
  std::unique_ptr<Evidence> evidence_;
};

}  // namespace revcache::revocation::testing
