// What a leaf certificate of an Intune SCEP profile for EAP-TLS should have; one rule each.
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "pki/diagnosis_findings.h"

namespace revcache::pki {
namespace {

constexpr int kRsaBitsMin = 2048;
constexpr std::chrono::days kValidityMax{366};  // a year, leap years too

class Lint {
 public:
  explicit Lint(const Certificate& leaf) : leaf_(leaf) {}

  std::vector<Finding> run() {
    extended_key_usage();
    key();
    signature();
    validity();
    names();
    revocation();
    return std::move(findings_);
  }

 private:
  void add(std::string_view id, Severity severity, std::string_view reference, std::string text,
           std::string_view fix) {
    findings_.push_back(
        {std::string(id), severity, std::string(reference), std::move(text), std::string(fix)});
  }

  void extended_key_usage() {
    if (!leaf_.extended_key_usage) {
      return add("client-auth-missing", Severity::warning, "RFC 5280 4.2.1.12",
                 "No extended key usage: any purpose. NPS wants clientAuth by name.",
                 "SCEP profile: Extended key usage, Client Authentication (1.3.6.1.5.5.7.3.2).");
    }
    if (leaf_.has_extended_key_usage(kClientAuthOid)) return;
    const bool any = leaf_.has_extended_key_usage(kAnyExtendedKeyUsageOid);
    add("client-auth-missing", any ? Severity::warning : Severity::error, "RFC 5280 4.2.1.12",
        "Its extended key usage does not name clientAuth.",
        "SCEP profile: Extended key usage, Client Authentication (1.3.6.1.5.5.7.3.2).");
  }

  void key() {
    const auto& key = leaf_.key();
    if (!key) {
      return add("key-unknown", Severity::error, "RFC 5280 4.1.2.7",
                 "Its key cannot be used: " + key.error().detail + '.', "");
    }
    const bool rsa = key->type() == "RSA";
    if (rsa && key->bits() < kRsaBitsMin) {
      add("key-too-short", Severity::error, "NIST SP 800-57",
          "Its RSA key has " + std::to_string(key->bits()) + " bits.",
          "SCEP profile: Key size 2048 or 4096.");
    }
    if (!leaf_.may(KeyUsage::digital_signature)) {
      add("digital-signature-missing", Severity::error, "RFC 5280 4.2.1.3",
          "Its key usage has no digitalSignature, which the TLS handshake of EAP-TLS needs.",
          "SCEP profile: Key usage, Digital signature.");
    }
    if (rsa && !leaf_.may(KeyUsage::key_encipherment)) {
      add("key-encipherment-missing", Severity::warning, "RFC 5280 4.2.1.3",
          "Its key usage has no keyEncipherment.", "SCEP profile: Key usage, Key encipherment.");
    }
  }

  void signature() {
    const std::string name = algorithm_name(leaf_.signature_algorithm);
    const bool weak = name.find("sha1") != std::string::npos ||
                      name.find("SHA1") != std::string::npos ||
                      name.find("md5") != std::string::npos;
    if (!weak) return;
    add("signature-not-sha2", Severity::warning, "RFC 9155", "It is signed with " + name + '.',
        "SCEP profile: Hash algorithm SHA-2.");
  }

  void validity() {
    if (leaf_.not_after - leaf_.not_before <= kValidityMax) return;
    const auto days =
        std::chrono::duration_cast<std::chrono::days>(leaf_.not_after - leaf_.not_before).count();
    add("validity-too-long", Severity::warning, "RFC 5280 4.1.2.5",
        "It is valid for " + std::to_string(days) + " days, longer than a year.",
        "SCEP profile: Certificate validity period of at most one year.");
  }

  void names() {
    if (!leaf_.user_principal_names.empty() || !leaf_.dns_names.empty()) return;
    add("subject-alt-name-missing", Severity::warning, "RFC 5280 4.2.1.6",
        "It has neither a user principal name nor a DNS name: NPS cannot tell whose it is.",
        "SCEP profile: Subject alternative name, User principal name (users) or DNS (devices).");
  }

  void revocation() {
    if (!leaf_.crl_distribution_points.empty() || leaf_.ocsp_urls.empty()) return;
    add("leaf-cdp-missing", Severity::warning, "RFC 5280 4.2.1.13",
        "It names an OCSP responder but no CRL: when that is down, nothing can stand in.", "");
  }

  const Certificate& leaf_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> lint_leaf(const Certificate& leaf) { return Lint(leaf).run(); }

}  // namespace revcache::pki
