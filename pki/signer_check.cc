#include "pki/signer_check.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "pki/asn1_time.h"
#include "pki/der.h"

namespace revcache::pki {
namespace {

class Examination {
 public:
  Examination(std::span<const CertificatePtr> certificates, const Certificate& authority,
              WallTime now)
      : certificates_(certificates),
        signer_(*certificates.front()),
        authority_(authority),
        kind_(signer_kind(signer_, authority)),
        now_(now) {}

  std::vector<SignerFinding> run() && {
    validity();
    if (kind_ != SignerKind::authority) {
      extended_key_usage();
      nocheck();
    }
    key_usage();
    relation();
    chain();
    return std::move(findings_);
  }

 private:
  void add(SignerSeverity severity, std::string_view id, std::string text) {
    findings_.push_back({severity, id, std::move(text)});
  }

  void validity() {
    const std::string end = rfc3339(signer_.not_after);
    if (now_ < signer_.not_before) {
      add(SignerSeverity::refused, "signer-not-yet-valid",
          "the certificate is valid from " + rfc3339(signer_.not_before) + " on");
    } else if (!signer_.is_valid_at(now_)) {
      add(SignerSeverity::refused, "signer-expired", "the certificate expired at " + end);
    } else if (now_ + kSignerExpiryAlarm > signer_.not_after) {
      add(SignerSeverity::alarm, "signer-expires-soon",
          "the certificate expires at " + end + ": renew it now");
    } else if (now_ + kSignerExpiryWarning > signer_.not_after) {
      add(SignerSeverity::warning, "signer-expires-soon", "the certificate expires at " + end);
    }
  }

  // RFC 6960 4.2.2.2: named, not implied; anyExtendedKeyUsage is not enough.
  void extended_key_usage() {
    if (signer_.extended_key_usage && signer_.has_extended_key_usage(kOcspSigningOid)) return;
    add(SignerSeverity::refused, "signer-eku-missing",
        "the certificate lacks the extended key usage id-kp-OCSPSigning (1.3.6.1.5.5.7.3.9): "
        "every client would refuse its answers");
  }

  // RFC 6960 4.2.2.2.1. Without it a client has to ask whether the signer is revoked, of whom
  // nobody knows.
  void nocheck() {
    if (signer_.ocsp_nocheck) return;
    add(SignerSeverity::warning, "signer-nocheck-missing",
        "the certificate lacks id-pkix-ocsp-nocheck: Windows looks for the signer's own "
        "revocation status and refuses its answers where it finds none");
  }

  void key_usage() {
    if (signer_.may(KeyUsage::digital_signature) || signer_.may(KeyUsage::content_commitment)) {
      return;
    }
    // RFC 5280 4.2.1.12: key usage and extended key usage must both allow it. CA certificates
    // often leave the bit out, and no known client minds.
    const bool is_authority = kind_ == SignerKind::authority;
    add(is_authority ? SignerSeverity::warning : SignerSeverity::refused, "signer-key-usage",
        "the certificate's key usage has no digitalSignature");
  }

  void relation() {
    if (kind_ != SignerKind::independent) return;
    const bool same_name = names_match(signer_.issuer, authority_.subject);
    if (same_name && !signer_.is_self_issued()) {
      const auto issued = verify_issued_by(signer_, authority_, SignaturePolicy{});
      add(SignerSeverity::warning, "signer-not-delegated",
          "the certificate names the authority as its issuer, but is not delegated by this key of "
          "it (" +
              (issued ? std::string("the authority's key") : issued.error().detail) +
              "): clients take it for a stranger's");
    }
    add(SignerSeverity::info, "signer-independent",
        std::string("the authority did not issue the certificate: clients must be told to trust ") +
            (signer_.is_self_issued() ? "it" : "its root"));
  }

  void chain() {
    for (std::size_t at = 1; at < certificates_.size(); ++at) {
      const auto issued =
          verify_issued_by(*certificates_[at - 1], *certificates_[at], SignaturePolicy{});
      if (issued) continue;
      add(SignerSeverity::warning, "signer-chain",
          "certificate " + std::to_string(at + 1) + " of the file, " +
              name_text(certificates_[at]->subject) +
              ", did not issue the one before it: " + issued.error().detail);
    }
  }

  std::span<const CertificatePtr> certificates_;
  const Certificate& signer_;
  const Certificate& authority_;
  SignerKind kind_;
  WallTime now_;
  std::vector<SignerFinding> findings_;
};

}  // namespace

std::string_view to_string(SignerKind kind) noexcept {
  switch (kind) {
    case SignerKind::authority:
      return "authority";
    case SignerKind::delegated:
      return "delegated";
    case SignerKind::independent:
      break;
  }
  return "independent";
}

std::string_view to_string(SignerSeverity severity) noexcept {
  switch (severity) {
    case SignerSeverity::info:
      return "info";
    case SignerSeverity::warning:
      return "warning";
    case SignerSeverity::alarm:
      return "alarm";
    case SignerSeverity::refused:
      break;
  }
  return "refused";
}

SignerKind signer_kind(const Certificate& signer, const Certificate& authority) {
  // A CA may have its key certified more than once: it is the key that clients know.
  if (equal(signer.spki, authority.spki) && names_match(signer.subject, authority.subject)) {
    return SignerKind::authority;
  }
  if (verify_issued_by(signer, authority, SignaturePolicy{})) return SignerKind::delegated;
  return SignerKind::independent;
}

std::vector<SignerFinding> check_signer(std::span<const CertificatePtr> certificates,
                                        const Certificate& authority, WallTime now) {
  CHECK(!certificates.empty());
  return Examination(certificates, authority, now).run();
}

bool may_sign(std::span<const SignerFinding> findings) noexcept {
  return std::ranges::none_of(findings, [](const SignerFinding& finding) {
    return finding.severity == SignerSeverity::refused;
  });
}

}  // namespace revcache::pki
