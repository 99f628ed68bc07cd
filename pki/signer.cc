#include "pki/signer.h"

#include <optional>
#include <utility>

#include "pki/signature_algorithm.h"

namespace revcache::pki {
namespace {

constexpr int kRsaBitsMin = 2048;
constexpr std::size_t kPreferredAlgorithmsMax = 16;  // further ones are not looked at

std::unexpected<Error> broken(ErrorCode code, std::string detail) {
  return fail(code, Blame::local, std::move(detail));
}

// The digest is as strong as the key (RFC 5480 section 4).
Result<SignatureScheme> own_scheme(const PublicKey& key) {
  if (key.type() == "RSA") {
    if (key.bits() >= kRsaBitsMin) return SignatureScheme::rsa_sha256;
    return broken(ErrorCode::refused, "an RSA key of " + std::to_string(key.bits()) +
                                          " bits; clients want at least " +
                                          std::to_string(kRsaBitsMin));
  }
  if (key.type() != "EC") {
    return broken(ErrorCode::unsupported,
                  "a key of type " + std::string(key.type()) + "; OCSP clients know RSA and ECDSA");
  }
  if (key.bits() <= 256) return SignatureScheme::ecdsa_sha256;
  return key.bits() <= 384 ? SignatureScheme::ecdsa_sha384 : SignatureScheme::ecdsa_sha512;
}

// Also catches a token that shows a key but lets nobody use it.
Result<void> prove(const SignerKey& key, const PublicKey& certified, SignatureScheme scheme) {
  const ByteView text = as_bytes("revcache asks: is this the key of the certificate?");
  const Result<std::string> signature = key.sign(text, scheme);
  if (!signature) return std::unexpected(signature.error());
  const auto verified = verify_signature(certified, algorithm_identifier(scheme), text,
                                         as_bytes(*signature), SignaturePolicy{});
  if (verified) return {};
  return broken(ErrorCode::untrusted, "the private key does not belong to the certificate");
}

bool is_rsa(SignatureScheme scheme) noexcept {
  return scheme == SignatureScheme::rsa_sha256 || scheme == SignatureScheme::rsa_sha384 ||
         scheme == SignatureScheme::rsa_sha512;
}

std::optional<SignatureScheme> scheme_of(ByteView algorithm) {
  const auto known = read_signature_algorithm(algorithm);
  if (!known) return std::nullopt;
  const bool rsa = known->kind == SignatureKind::rsa_pkcs1;
  if (!rsa && known->kind != SignatureKind::ecdsa) return std::nullopt;
  switch (known->digest) {
    case Digest::sha256:
      return rsa ? SignatureScheme::rsa_sha256 : SignatureScheme::ecdsa_sha256;
    case Digest::sha384:
      return rsa ? SignatureScheme::rsa_sha384 : SignatureScheme::ecdsa_sha384;
    case Digest::sha512:
      return rsa ? SignatureScheme::rsa_sha512 : SignatureScheme::ecdsa_sha512;
    case Digest::none:
    case Digest::sha1:
    case Digest::sha224:
      break;
  }
  return std::nullopt;
}

}  // namespace

Signer::Signer(std::vector<CertificatePtr> certificates, SignerKeyPtr key, SignatureScheme scheme)
    : certificates_(std::move(certificates)),
      key_(std::move(key)),
      scheme_(scheme),
      responder_(ResponderId::by_key(*certificates_.front())) {}

Result<std::shared_ptr<const Signer>> Signer::make(std::vector<CertificatePtr> certificates,
                                                   SignerKeyPtr key) {
  if (certificates.empty()) return broken(ErrorCode::malformed, "no certificate");
  if (certificates.size() > kOcspCertificatesMax) {
    return broken(ErrorCode::malformed, std::to_string(certificates.size()) +
                                            " certificates; a response carries at most " +
                                            std::to_string(kOcspCertificatesMax));
  }
  const auto& certified = certificates.front()->key();
  if (!certified) return broken(ErrorCode::unsupported, certified.error().detail);
  Result<SignatureScheme> scheme = own_scheme(*certified);
  if (!scheme) return fail(std::move(scheme));
  Result<void> proof = prove(*key, *certified, *scheme);
  if (!proof) return fail(std::move(proof));
  return std::shared_ptr<const Signer>(
      new Signer(std::move(certificates), std::move(key), *scheme));
}

// PreferredSignatureAlgorithms ::= SEQUENCE OF SEQUENCE { sigIdentifier AlgorithmIdentifier,
//                                  pubKeyAlgIdentifier SMIMECapability OPTIONAL }
SignatureScheme Signer::scheme_for(ByteView preferred) const noexcept {
  if (preferred.empty()) return scheme_;
  DerReader reader(preferred);
  const auto list = reader.read(kSequenceTag, "PreferredSignatureAlgorithms were expected");
  if (!list || !reader.at_end()) return scheme_;
  DerReader algorithms(list->content);
  for (std::size_t seen = 0; seen < kPreferredAlgorithmsMax && !algorithms.at_end(); ++seen) {
    const auto entry = algorithms.read(kSequenceTag, "an algorithm was expected");
    if (!entry) break;
    DerReader inner(entry->content);
    const auto identifier = inner.read(kSequenceTag, "an AlgorithmIdentifier was expected");
    if (!identifier) break;
    const auto scheme = scheme_of(identifier->whole);
    if (scheme && is_rsa(*scheme) == is_rsa(scheme_)) return *scheme;
  }
  return scheme_;
}

Result<std::string> Signer::respond(ResponseToSign response, SignatureScheme scheme) const {
  if (response.responder == nullptr) response.responder = &responder_;
  const std::string tbs = encode_response_data(response);
  Result<std::string> signature = sign(as_bytes(tbs), scheme);
  if (!signature) return fail(std::move(signature));
  return encode_ocsp_response({.tbs = as_bytes(tbs),
                               .signature_algorithm = algorithm_identifier(scheme),
                               .signature = as_bytes(*signature),
                               .certificates = certificates_});
}

}  // namespace revcache::pki
