// A signer of OCSP responses (RFC 6960 section 4.2.2.2): a certificate, its chain, and the private
// key that was seen to belong to it. Whether it may answer for an authority at a given time is
// signer_check's to say; how it comes from files, signer_files'.
//
// Immutable; any thread. respond() blocks while the key signs: threads of the pool only.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "pki/certificate.h"
#include "pki/ocsp_builder.h"
#include "pki/signer_key.h"

namespace revcache::pki {

class Signer {
 public:
  // `certificates`: the signer's own first, then what is to be embedded behind it; at most
  // kOcspCertificatesMax. The key proves that it belongs to the first by a signature. Blocking.
  // Fails (blame local) with malformed (no certificate, or too many), unsupported (another key than
  // RSA or ECDSA on P-256, P-384, P-521), refused (RSA below 2048 bits), untrusted (another
  // certificate's key), unreachable (the key does not sign).
  static Result<std::shared_ptr<const Signer>> make(std::vector<CertificatePtr> certificates,
                                                    SignerKeyPtr key);

  [[nodiscard]] const CertificatePtr& certificate() const noexcept { return certificates_.front(); }
  [[nodiscard]] std::span<const CertificatePtr> certificates() const noexcept {
    return certificates_;
  }
  // By key; what responses name unless they say otherwise.
  [[nodiscard]] const ResponderId& responder() const noexcept { return responder_; }

  [[nodiscard]] bool is_in_token() const noexcept { return key_->is_in_token(); }

  // RFC 6960 4.4.7.2: the first of the client's algorithms that this key can do and that is no
  // weaker than SHA-256; else the key's own. `preferred` is the extension's value
  // (OcspRequest::preferred_signature_algorithms), empty when absent; one that is malformed says
  // nothing. Equal schemes may share one signature.
  [[nodiscard]] SignatureScheme scheme_for(ByteView preferred) const noexcept;

  // The octets of a signature's BIT STRING. Blocking. Fails with unreachable (blame local).
  [[nodiscard]] Result<std::string> sign(ByteView bytes, SignatureScheme scheme) const {
    return key_->sign(bytes, scheme);
  }
  // The whole OCSPResponse with the certificates embedded; without `response.responder`, by key.
  // Blocking. Fails as sign() does.
  [[nodiscard]] Result<std::string> respond(ResponseToSign response, SignatureScheme scheme) const;

 private:
  Signer(std::vector<CertificatePtr> certificates, SignerKeyPtr key, SignatureScheme scheme);

  std::vector<CertificatePtr> certificates_;  // at least one
  SignerKeyPtr key_;
  SignatureScheme scheme_;  // the key's own
  ResponderId responder_;
};

using SignerPtr = std::shared_ptr<const Signer>;

}  // namespace revcache::pki
