#include "pki/signature_algorithm.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "pki/der.h"
#include "pki/object_identifier.h"
#include "pki/signature.h"

namespace revcache::pki {
namespace {

constexpr std::string_view kNullParameters("\x05\x00", 2);
constexpr std::string_view kMgf1 = "1.2.840.113549.1.1.8";
constexpr std::string_view kPss = "1.2.840.113549.1.1.10";
constexpr int kSaltBytesMax = 512;  // of the longest key that OpenSSL verifies with: 16384 bits

struct KnownAlgorithm {
  std::string_view oid;
  std::string_view name;
  std::optional<SignatureAlgorithm> algorithm;  // nullopt: known, and refused
};

constexpr std::array<KnownAlgorithm, 16> kAlgorithms{{
    {"1.2.840.113549.1.1.2", "md2WithRSAEncryption", std::nullopt},
    {"1.2.840.113549.1.1.4", "md5WithRSAEncryption", std::nullopt},
    {"1.2.840.113549.1.1.5", "sha1WithRSAEncryption", {{SignatureKind::rsa_pkcs1, Digest::sha1}}},
    {"1.2.840.113549.1.1.14",
     "sha224WithRSAEncryption",
     {{SignatureKind::rsa_pkcs1, Digest::sha224}}},
    {"1.2.840.113549.1.1.11",
     "sha256WithRSAEncryption",
     {{SignatureKind::rsa_pkcs1, Digest::sha256}}},
    {"1.2.840.113549.1.1.12",
     "sha384WithRSAEncryption",
     {{SignatureKind::rsa_pkcs1, Digest::sha384}}},
    {"1.2.840.113549.1.1.13",
     "sha512WithRSAEncryption",
     {{SignatureKind::rsa_pkcs1, Digest::sha512}}},
    {kPss, "rsassaPss", {{SignatureKind::rsa_pss, Digest::none}}},
    {"1.2.840.10045.4.1", "ecdsa-with-SHA1", {{SignatureKind::ecdsa, Digest::sha1}}},
    {"1.2.840.10045.4.3.1", "ecdsa-with-SHA224", {{SignatureKind::ecdsa, Digest::sha224}}},
    {"1.2.840.10045.4.3.2", "ecdsa-with-SHA256", {{SignatureKind::ecdsa, Digest::sha256}}},
    {"1.2.840.10045.4.3.3", "ecdsa-with-SHA384", {{SignatureKind::ecdsa, Digest::sha384}}},
    {"1.2.840.10045.4.3.4", "ecdsa-with-SHA512", {{SignatureKind::ecdsa, Digest::sha512}}},
    {"1.3.101.112", "Ed25519", {{SignatureKind::ed25519, Digest::none}}},
    {"1.3.101.113", "Ed448", std::nullopt},
    {"1.2.840.10040.4.3", "dsa-with-SHA1", std::nullopt},
}};

struct KnownDigest {
  std::string_view oid;
  Digest digest;
};

constexpr std::array<KnownDigest, 5> kDigests{{
    {"1.3.14.3.2.26", Digest::sha1},
    {"2.16.840.1.101.3.4.2.4", Digest::sha224},
    {"2.16.840.1.101.3.4.2.1", Digest::sha256},
    {"2.16.840.1.101.3.4.2.2", Digest::sha384},
    {"2.16.840.1.101.3.4.2.3", Digest::sha512},
}};

struct Identifier {
  std::string oid;
  ByteView parameters;  // whole element; empty when absent
};

// The next AlgorithmIdentifier of `reader`.
std::optional<Identifier> read_identifier(DerReader& reader) {
  const auto whole = reader.read(kSequenceTag, "an AlgorithmIdentifier was expected");
  if (!whole) return std::nullopt;
  DerReader inner(whole->content);
  const auto oid = inner.read(kObjectIdentifierTag, "an algorithm's OID was expected");
  if (!oid || !is_object_identifier(oid->content)) return std::nullopt;
  Identifier identifier{dotted(oid->content), {}};
  if (!inner.at_end()) {
    const auto parameters = inner.read_any();
    if (!parameters || !inner.at_end()) return std::nullopt;
    identifier.parameters = parameters->whole;
  }
  return identifier;
}

// One whole AlgorithmIdentifier, nothing behind it.
std::optional<Identifier> identifier_of(ByteView algorithm) {
  DerReader reader(algorithm);
  auto identifier = read_identifier(reader);
  if (!identifier || !reader.at_end()) return std::nullopt;
  return identifier;
}

const KnownAlgorithm* known_algorithm(std::string_view oid) noexcept {
  const auto* const found = std::ranges::find(kAlgorithms, oid, &KnownAlgorithm::oid);
  return found == kAlgorithms.end() ? nullptr : found;
}

bool is_absent_or_null(ByteView parameters) noexcept {
  return parameters.empty() || as_text(parameters) == kNullParameters;
}

std::optional<Digest> read_digest(DerReader& reader) {
  const auto identifier = read_identifier(reader);
  if (!identifier || !is_absent_or_null(identifier->parameters)) return std::nullopt;
  const auto* const found = std::ranges::find(kDigests, identifier->oid, &KnownDigest::oid);
  if (found == kDigests.end()) return std::nullopt;
  return found->digest;
}

// The digest in MGF1's parameters.
std::optional<Digest> read_mask_digest(DerReader& reader) {
  const auto identifier = read_identifier(reader);
  if (!identifier || identifier->oid != kMgf1) return std::nullopt;
  DerReader inner(identifier->parameters);
  const auto digest = read_digest(inner);
  if (!digest || !inner.at_end()) return std::nullopt;
  return digest;
}

std::optional<int> read_small_number(DerReader& reader) {
  const auto content = reader.read_integer("a number was expected");
  if (!content || content->size() > 2 || (content->front() & 0x80U) != 0) return std::nullopt;
  int value = 0;
  for (const std::uint8_t octet : *content) value = value << 8U | octet;
  return value;
}

// What `read` makes of the content of [number]; `otherwise` when it is absent.
template <class Value, class Read>
std::optional<Value> read_tagged(DerReader& reader, std::uint8_t number, Value otherwise,
                                 const Read& read) {
  const auto tagged = reader.read_optional(context_constructed(number));
  if (!tagged) return reader.ok() ? std::optional<Value>(otherwise) : std::nullopt;
  DerReader inner(tagged->content);
  const auto value = read(inner);
  if (!value || !inner.at_end()) return std::nullopt;
  return value;
}

std::optional<SignatureAlgorithm> read_pss_parameters(ByteView parameters) {
  DerReader reader(parameters);
  const auto whole = reader.read(kSequenceTag, "parameters of RSASSA-PSS were expected");
  if (!whole || !reader.at_end()) return std::nullopt;
  DerReader inner(whole->content);
  constexpr int kSaltBytesDefault = 20;
  const auto digest = read_tagged(inner, 0, Digest::sha1, read_digest);
  const auto mask = read_tagged(inner, 1, Digest::sha1, read_mask_digest);
  const auto salt = read_tagged(inner, 2, kSaltBytesDefault, read_small_number);
  const auto trailer = read_tagged(inner, 3, 1, read_small_number);
  if (!inner.ok() || !inner.at_end() || !digest || !salt || !trailer) return std::nullopt;
  if (mask != digest || *salt > kSaltBytesMax || *trailer != 1) return std::nullopt;
  return SignatureAlgorithm{SignatureKind::rsa_pss, *digest, *salt};
}

}  // namespace

Checked<SignatureAlgorithm> read_signature_algorithm(ByteView algorithm) {
  const auto identifier = identifier_of(algorithm);
  if (!identifier) return refuse(Refusal::malformed, "not an AlgorithmIdentifier");
  const KnownAlgorithm* const known = known_algorithm(identifier->oid);
  if (known == nullptr || !known->algorithm) {
    return refuse(Refusal::algorithm_refused, "signed with " + algorithm_name(algorithm));
  }
  if (known->algorithm->kind == SignatureKind::rsa_pss) {
    const auto pss = read_pss_parameters(identifier->parameters);
    if (pss) return *pss;
    return refuse(Refusal::algorithm_refused, "rsassaPss with parameters that are not understood");
  }
  // RFC 4055 5: NULL, and absent must be accepted as well; elsewhere there are no parameters.
  const bool fits = known->algorithm->kind == SignatureKind::rsa_pkcs1
                        ? is_absent_or_null(identifier->parameters)
                        : identifier->parameters.empty();
  if (!fits) {
    return refuse(Refusal::algorithm_refused,
                  std::string(known->name) + " with parameters that it does not have");
  }
  return *known->algorithm;
}

std::optional<ByteView> spki_algorithm(ByteView spki) noexcept {
  DerReader reader(spki);
  const auto whole = reader.read(kSequenceTag, "a SubjectPublicKeyInfo was expected");
  if (!whole || !reader.at_end()) return std::nullopt;
  DerReader inner(whole->content);
  const auto algorithm = inner.read(kSequenceTag, "an AlgorithmIdentifier was expected");
  const auto key = inner.read(kBitStringTag, "a public key was expected");
  if (!algorithm || !key || !inner.at_end()) return std::nullopt;
  return algorithm->whole;
}

bool is_known_key_algorithm(ByteView algorithm) noexcept {
  constexpr std::array<std::string_view, 4> kKeys{"1.2.840.113549.1.1.1", kPss, "1.2.840.10045.2.1",
                                                  "1.3.101.112"};
  const auto identifier = identifier_of(algorithm);
  return identifier && std::ranges::find(kKeys, identifier->oid) != kKeys.end();
}

std::string algorithm_name(ByteView algorithm) {
  const auto identifier = identifier_of(algorithm);
  if (!identifier)
    return "malformed " + hex(algorithm.first(std::min<std::size_t>(algorithm.size(), 16)));
  const KnownAlgorithm* const known = known_algorithm(identifier->oid);
  return known == nullptr ? identifier->oid : std::string(known->name);
}

}  // namespace revcache::pki
