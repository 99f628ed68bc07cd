#include "pki/certificate.h"

#include <algorithm>
#include <utility>

#include "pki/asn1_time.h"
#include "pki/cert_id.h"
#include "pki/certificate_extensions.h"
#include "pki/certificate_fields.h"
#include "pki/der.h"
#include "pki/distinguished_name.h"

namespace revcache::pki {
namespace {

// Version ::= INTEGER { v1(0), v2(1), v3(2) } DEFAULT v1, so that 0 is never encoded.
bool read_version(DerReader& tbs, Certificate& certificate) {
  const DerReader start = tbs;
  const auto wrapper = tbs.read_optional(context_constructed(0));
  if (!wrapper) return tbs.ok();
  DerReader inner(wrapper->content);
  const auto version = inner.read_integer("a version was expected");
  if (!version || !inner.expect_end("data behind the version")) return tbs.adopt(inner);
  const std::uint8_t number = version->front();
  if (version->size() != 1 || number < 1 || number > 2) {
    tbs = start;
    return tbs.fail_at("a version that is none, or a default value that is encoded");
  }
  certificate.version = number + 1;
  return true;
}

bool read_serial(DerReader& tbs, Certificate& certificate) {
  const DerReader start = tbs;
  const auto serial = tbs.read_integer("a serial number was expected");
  if (!serial) return false;
  if (serial->size() > kSerialBytesMax) {
    tbs = start;
    return tbs.fail_at("a serial number that is too long");
  }
  certificate.serial = *serial;
  return true;
}

bool read_one_name(DerReader& tbs, ByteView& name) {
  const auto whole = read_name(tbs);
  if (whole) name = *whole;
  return whole.has_value();
}

// Validity ::= SEQUENCE { notBefore Time, notAfter Time }
bool read_validity(DerReader& tbs, Certificate& certificate) {
  const auto whole = tbs.read(kSequenceTag, "a Validity was expected");
  if (!whole) return false;
  DerReader inner(whole->content);
  const auto not_before = read_time(inner, "notBefore was expected");
  const auto not_after = read_time(inner, "notAfter was expected");
  if (!not_before || !not_after || !inner.expect_end("data behind the Validity")) {
    return tbs.adopt(inner);
  }
  certificate.not_before = *not_before;
  certificate.not_after = *not_after;
  return true;
}

// SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }
bool read_public_key(DerReader& tbs, Certificate& certificate) {
  const auto whole = tbs.read(kSequenceTag, "a SubjectPublicKeyInfo was expected");
  if (!whole) return false;
  DerReader inner(whole->content);
  ByteView algorithm;
  const bool well_formed =
      read_algorithm_identifier(inner, algorithm) &&
      read_bit_string(inner, certificate.public_key, "a public key was expected") &&
      inner.expect_end("data behind the public key");
  if (!well_formed) return tbs.adopt(inner);
  certificate.spki = whole->whole;
  return true;
}

// UniqueIdentifier ::= BIT STRING, tagged implicitly (X.690 8.6.2, 11.2.1): a count of unused bits
// that there can be, and none of them set.
bool is_unique_identifier(ByteView content) noexcept {
  if (content.empty() || content.front() > 7) return false;
  if (content.size() == 1) return content.front() == 0;
  const unsigned unused = (1U << content.front()) - 1U;
  return (content.back() & unused) == 0;
}

// The unique identifiers, of which nobody makes use, and extensions: of v3 only (4.1.2.8, 4.1.2.9).
bool read_optional_fields(DerReader& tbs, Certificate& certificate) {
  const DerReader start = tbs;
  for (const std::uint8_t number : {std::uint8_t{1}, std::uint8_t{2}}) {
    const auto identifier = tbs.read_optional(context_primitive(number));
    if (!tbs.ok()) return false;
    if (!identifier) continue;
    if (certificate.version != 1 && is_unique_identifier(identifier->content)) continue;
    tbs = start;
    return tbs.fail_at(certificate.version == 1 ? "unique identifiers in a certificate of version 1"
                                                : "a malformed unique identifier");
  }
  if (tbs.next_is(context_constructed(3)) && certificate.version != 3) {
    return tbs.fail_at("extensions in a certificate that is not of version 3");
  }
  const auto wrapper = tbs.read_optional(context_constructed(3));
  if (!wrapper) return tbs.ok();
  DerReader inner(wrapper->content);
  const auto extensions = read_extensions(inner);
  if (!extensions || !inner.expect_end("data behind the Extensions")) return tbs.adopt(inner);
  return std::ranges::all_of(*extensions, [&](const Extension& extension) {
    return read_certificate_extension(tbs, extension, certificate);
  });
}

bool read_tbs(DerReader& outer, Certificate& certificate) {
  const auto whole = outer.read(kSequenceTag, "a TBSCertificate was expected");
  if (!whole) return false;
  certificate.tbs = whole->whole;
  DerReader tbs(whole->content);
  const bool well_formed =
      read_version(tbs, certificate) && read_serial(tbs, certificate) &&
      read_algorithm_identifier(tbs, certificate.tbs_algorithm) &&
      read_one_name(tbs, certificate.issuer) && read_validity(tbs, certificate) &&
      read_one_name(tbs, certificate.subject) && read_public_key(tbs, certificate) &&
      read_optional_fields(tbs, certificate) && tbs.expect_end("data behind the TBSCertificate");
  return well_formed || outer.adopt(tbs);
}

bool read_certificate(DerReader& reader, Certificate& certificate) {
  const auto whole = reader.read(kSequenceTag, "a Certificate was expected");
  if (!whole || !reader.expect_end("data behind the Certificate")) return false;
  DerReader inner(whole->content);
  const bool well_formed =
      read_tbs(inner, certificate) &&
      read_algorithm_identifier(inner, certificate.signature_algorithm) &&
      read_bit_string(inner, certificate.signature, "a signature was expected") &&
      inner.expect_end("data behind the signature");
  return well_formed || reader.adopt(inner);
}

}  // namespace

bool Certificate::has_extended_key_usage(std::string_view oid) const noexcept {
  return extended_key_usage &&
         std::ranges::find(*extended_key_usage, oid) != extended_key_usage->end();
}

bool Certificate::is_self_issued() const noexcept { return equal(subject, issuer); }

bool Certificate::is_valid_at(WallTime now) const noexcept {
  // 4.1.2.5: both ends included; the second of notAfter counts to its end.
  return now >= not_before && std::chrono::floor<std::chrono::seconds>(now) <= not_after;
}

Checked<CertificatePtr> parse_certificate(SharedBytes der) {
  if (der.size() > kCertificateBytesMax) {
    return refuse(Refusal::malformed, "a Certificate that is too long");
  }
  auto certificate = std::make_shared<Certificate>();
  certificate->der = std::move(der);
  const ByteView bytes = certificate->der.bytes();
  DerReader reader(bytes);
  if (!read_certificate(reader, *certificate)) {
    return refuse(Refusal::malformed, describe_fault(reader, bytes));
  }
  return certificate;
}

KeyHash key_hash(const Certificate& certificate) { return sha256(certificate.spki); }

Checked<void> verify_issued_by(const Certificate& subject, const Certificate& issuer,
                               const SignaturePolicy& policy) {
  if (!names_match(subject.issuer, issuer.subject)) {
    return refuse(Refusal::issuer_unknown, "issued by \"" + name_text(subject.issuer) +
                                               "\", not by \"" + name_text(issuer.subject) + "\"");
  }
  const bool has_key_ids = !subject.authority_key_id.empty() && !issuer.subject_key_id.empty();
  if (has_key_ids && !equal(subject.authority_key_id, issuer.subject_key_id)) {
    return refuse(Refusal::issuer_unknown, "signed by the key " + hex(subject.authority_key_id) +
                                               ", not by " + hex(issuer.subject_key_id));
  }
  if (!issuer.is_ca) {
    return refuse(Refusal::issuer_not_entitled, "the issuer's basic constraints name no CA");
  }
  if (!issuer.may(KeyUsage::key_cert_sign)) {
    return refuse(Refusal::issuer_not_entitled, "the issuer's key usage lacks keyCertSign");
  }
  if (!equal(subject.tbs_algorithm, subject.signature_algorithm)) {
    return refuse(Refusal::algorithm_mismatch,
                  "the signature algorithms within and without differ");
  }
  const auto& key = issuer.key();
  if (!key) return std::unexpected(key.error());
  return verify_signature(*key, subject.signature_algorithm, subject.tbs, subject.signature,
                          policy);
}

}  // namespace revcache::pki
