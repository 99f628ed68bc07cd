#include "pki/certificate_builder.h"

#include <openssl/evp.h>

#include <array>
#include <utility>

#include "base/check.h"
#include "pki/asn1_time.h"
#include "pki/der_writer.h"
#include "pki/signature.h"

namespace revcache::pki {
namespace {

constexpr Tag kUtf8StringTag = 0x0c;
constexpr std::array<std::uint8_t, 3> kCommonName{0x55, 0x04, 0x03};
constexpr std::array<std::uint8_t, 3> kSubjectKeyIdentifier{0x55, 0x1d, 0x0e};
constexpr std::array<std::uint8_t, 3> kKeyUsage{0x55, 0x1d, 0x0f};
constexpr std::array<std::uint8_t, 3> kBasicConstraints{0x55, 0x1d, 0x13};
constexpr std::array<std::uint8_t, 3> kExtendedKeyUsage{0x55, 0x1d, 0x25};
// 1.3.6.1.5.5.7.3.9, 1.3.6.1.5.5.7.48.1.5, 1.2.840.113549.1.9.14
constexpr std::array<std::uint8_t, 8> kOcspSigning{0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09};
constexpr std::array<std::uint8_t, 9> kOcspNocheck{0x2b, 0x06, 0x01, 0x05, 0x05,
                                                   0x07, 0x30, 0x01, 0x05};
constexpr std::array<std::uint8_t, 9> kExtensionRequest{0x2a, 0x86, 0x48, 0x86, 0xf7,
                                                        0x0d, 0x01, 0x09, 0x0e};

constexpr std::size_t kSerialBytes = 16;
constexpr std::size_t kPemLineBytes = 64;

struct PublicKeyParts {
  ByteView whole;
  ByteView key;  // octets of the BIT STRING
};

// SubjectPublicKeyInfo ::= SEQUENCE { algorithm, subjectPublicKey BIT STRING }, made by OpenSSL.
PublicKeyParts parts_of(std::string_view spki) {
  DerReader reader(as_bytes(spki));
  const auto whole = reader.read(kSequenceTag, "a SubjectPublicKeyInfo");
  CHECK(whole.has_value());
  DerReader inner(whole->content);
  inner.read(kSequenceTag, "an AlgorithmIdentifier");
  const auto bits = inner.read(kBitStringTag, "a key");
  CHECK(bits && bits->content.size() > 1);
  return {whole->whole, bits->content.subspan(1)};
}

void write_name(DerWriter& writer, std::string_view common_name) {
  writer.constructed(kSequenceTag, [&] {
    writer.constructed(kSetTag, [&] {
      writer.constructed(kSequenceTag, [&] {
        writer.primitive(kObjectIdentifierTag, kCommonName);
        writer.primitive(kUtf8StringTag, as_bytes(common_name));
      });
    });
  });
}

// RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime later.
void write_time(DerWriter& writer, WallSeconds time) {
  constexpr WallSeconds kGeneralizedFrom = std::chrono::sys_days{std::chrono::year(2050) / 1 / 1};
  const std::string text = generalized_time(time);
  if (time < kGeneralizedFrom) {
    writer.primitive(kUtcTimeTag, as_bytes(std::string_view(text).substr(2)));
  } else {
    writer.primitive(kGeneralizedTimeTag, as_bytes(text));
  }
}

enum class Criticality : std::uint8_t { critical, not_critical };

template <class Body>
void write_extension(DerWriter& writer, ByteView name, Criticality criticality, const Body& value) {
  writer.constructed(kSequenceTag, [&] {
    writer.primitive(kObjectIdentifierTag, name);
    if (criticality == Criticality::critical) writer.boolean(true);
    writer.octet_string_of(value);
  });
}

void write_extensions(DerWriter& writer, const PublicKeyParts& key) {
  using enum Criticality;
  writer.constructed(kSequenceTag, [&] {
    write_extension(writer, kBasicConstraints, critical, [&] {
      writer.constructed(kSequenceTag, [] {});  // cA is FALSE by default
    });
    write_extension(writer, kKeyUsage, critical, [&] {
      constexpr std::array<std::uint8_t, 2> kDigitalSignature{0x07, 0x80};  // 7 unused bits, bit 0
      writer.primitive(kBitStringTag, kDigitalSignature);
    });
    // Not critical, as in the certificates that Windows' own CA makes for its responders.
    write_extension(writer, kExtendedKeyUsage, not_critical, [&] {
      writer.constructed(kSequenceTag,
                         [&] { writer.primitive(kObjectIdentifierTag, kOcspSigning); });
    });
    write_extension(writer, kOcspNocheck, not_critical, [&] { writer.null(); });
    write_extension(writer, kSubjectKeyIdentifier, not_critical,
                    [&] { writer.primitive(kOctetStringTag, sha1(key.key)); });
  });
}

// TBSCertificate of version 3.
std::string encode_tbs(const SignerSubject& subject, WallSeconds not_before,
                       WallSeconds not_after) {
  const std::string spki = subject.key->public_key_der();
  const PublicKeyParts key = parts_of(spki);
  const Sha256 unique = sha256(as_bytes(spki + generalized_time(not_before)));
  DerWriter writer(1024);
  writer.constructed(kSequenceTag, [&] {
    constexpr std::uint8_t kVersion3 = 2;
    writer.constructed(context_constructed(0), [&] { writer.unsigned_integer({&kVersion3, 1}); });
    writer.unsigned_integer(ByteView(unique).first(kSerialBytes));
    writer.raw(algorithm_identifier(subject.scheme));
    write_name(writer, subject.common_name);
    writer.constructed(kSequenceTag, [&] {
      write_time(writer, not_before);
      write_time(writer, not_after);
    });
    write_name(writer, subject.common_name);
    writer.raw(key.whole);
    writer.constructed(context_constructed(3), [&] { write_extensions(writer, key); });
  });
  return std::move(writer).take();
}

// CertificationRequestInfo ::= SEQUENCE { version INTEGER (0), subject, subjectPKInfo,
//                              attributes [0] IMPLICIT SET OF SEQUENCE { type, values SET } }
std::string encode_request_info(const SignerSubject& subject) {
  const std::string spki = subject.key->public_key_der();
  const PublicKeyParts key = parts_of(spki);
  DerWriter writer(1024);
  writer.constructed(kSequenceTag, [&] {
    constexpr std::uint8_t kVersion1 = 0;
    writer.unsigned_integer({&kVersion1, 1});
    write_name(writer, subject.common_name);
    writer.raw(key.whole);
    writer.constructed(context_constructed(0), [&] {
      writer.constructed(kSequenceTag, [&] {
        writer.primitive(kObjectIdentifierTag, kExtensionRequest);
        writer.constructed(kSetTag, [&] { write_extensions(writer, key); });
      });
    });
  });
  return std::move(writer).take();
}

// SEQUENCE { what is signed, signatureAlgorithm, signature BIT STRING }
Result<std::string> with_signature(const SignerSubject& subject, const std::string& to_sign) {
  Result<std::string> signature = subject.key->sign(as_bytes(to_sign), subject.scheme);
  if (!signature) return fail(std::move(signature));
  DerWriter writer(to_sign.size() + signature->size() + 64);
  writer.constructed(kSequenceTag, [&] {
    writer.raw(as_bytes(to_sign));
    writer.raw(algorithm_identifier(subject.scheme));
    writer.bit_string(as_bytes(*signature));
  });
  return std::move(writer).take();
}

void check_subject(const SignerSubject& subject) {
  CHECK(subject.key != nullptr);
  CHECK(!subject.common_name.empty() && subject.common_name.size() <= kCommonNameBytesMax);
}

}  // namespace

Result<std::string> self_signed_certificate(const SignerSubject& subject, WallSeconds not_before,
                                            WallSeconds not_after) {
  check_subject(subject);
  return with_signature(subject, encode_tbs(subject, not_before, not_after));
}

Result<std::string> certification_request(const SignerSubject& subject) {
  check_subject(subject);
  return with_signature(subject, encode_request_info(subject));
}

std::string pem_text(std::string_view label, ByteView der) {
  std::string base64(((der.size() + 2) / 3 * 4) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()), der.data(),
                                     static_cast<int>(der.size()));
  base64.resize(static_cast<std::size_t>(length));
  std::string text = "-----BEGIN " + std::string(label) + "-----\n";
  for (std::size_t at = 0; at < base64.size(); at += kPemLineBytes) {
    text += base64.substr(at, kPemLineBytes) + '\n';
  }
  return text + "-----END " + std::string(label) + "-----\n";
}

}  // namespace revcache::pki
