#include "pki/ocsp_builder.h"

#include <array>

#include "base/check.h"
#include "pki/asn1_time.h"
#include "pki/der_writer.h"
#include "pki/ocsp_request.h"

namespace revcache::pki {
namespace {

// 1.3.6.1.5.5.7.48.1.1, id-pkix-ocsp-basic; with a last octet of 2, id-pkix-ocsp-nonce.
constexpr std::array<std::uint8_t, 9> kBasic{0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};
constexpr std::array<std::uint8_t, 9> kNonce{0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02};

constexpr std::size_t kBytesOfOneAnswer = 160;  // a guess that saves growing

void write_time(DerWriter& writer, WallSeconds time) {
  writer.primitive(kGeneralizedTimeTag, as_bytes(generalized_time(time)));
}

bool says_something(CrlReason reason) noexcept {
  return reason != CrlReason::unspecified && reason != CrlReason::remove_from_crl;
}

// CertStatus  ::= CHOICE { good [0] IMPLICIT NULL, revoked [1] IMPLICIT RevokedInfo,
//                 unknown [2] IMPLICIT NULL }
// RevokedInfo ::= SEQUENCE { revocationTime GeneralizedTime,
//                 revocationReason [0] EXPLICIT CRLReason OPTIONAL }
void write_status(DerWriter& writer, const StatusToSign& status) {
  switch (status.status()) {
    case OcspCertStatus::good:
      return writer.primitive(context_primitive(0), {});
    case OcspCertStatus::unknown:
      return writer.primitive(context_primitive(2), {});
    case OcspCertStatus::revoked:
      break;
  }
  writer.constructed(context_constructed(1), [&] {
    write_time(writer, status.revoked_at());
    if (!says_something(status.reason())) return;
    const auto reason = static_cast<std::uint8_t>(status.reason());
    writer.constructed(context_constructed(0),
                       [&] { writer.primitive(kEnumeratedTag, {&reason, 1}); });
  });
}

// SingleResponse ::= SEQUENCE { certID, certStatus, thisUpdate GeneralizedTime,
//                    nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL, … }
void write_single(DerWriter& writer, const SingleAnswer& answer) {
  writer.constructed(kSequenceTag, [&] {
    writer.raw(answer.cert_id_der);
    write_status(writer, answer.status);
    write_time(writer, answer.this_update);
    writer.constructed(context_constructed(0), [&] { write_time(writer, answer.next_update); });
  });
}

// responseExtensions [1] EXPLICIT Extensions, with the nonce as only one. RFC 9654 2.1: its value
// is an OCTET STRING inside the extension's OCTET STRING.
void write_nonce(DerWriter& writer, ByteView nonce) {
  writer.constructed(context_constructed(1), [&] {
    writer.constructed(kSequenceTag, [&] {
      writer.constructed(kSequenceTag, [&] {
        writer.primitive(kObjectIdentifierTag, kNonce);
        writer.octet_string_of([&] { writer.primitive(kOctetStringTag, nonce); });
      });
    });
  });
}

}  // namespace

ResponderId ResponderId::by_key(const Certificate& signer) {
  DerWriter writer;
  writer.constructed(context_constructed(2),
                     [&] { writer.primitive(kOctetStringTag, sha1(signer.public_key)); });
  return {std::move(writer).take()};
}

ResponderId ResponderId::by_name(const Certificate& signer) {
  DerWriter writer;
  writer.constructed(context_constructed(1), [&] { writer.raw(signer.subject); });
  return {std::move(writer).take()};
}

std::string encode_response_data(const ResponseToSign& response) {
  CHECK(response.responder != nullptr);
  CHECK(!response.answers.empty() && response.answers.size() <= kOcspRequestsMax);
  DerWriter writer(256 + (response.answers.size() * kBytesOfOneAnswer));
  writer.constructed(kSequenceTag, [&] {
    writer.raw(as_bytes(response.responder->der));
    write_time(writer, response.produced_at);
    writer.constructed(kSequenceTag, [&] {
      for (const SingleAnswer& answer : response.answers) write_single(writer, answer);
    });
    if (response.nonce) write_nonce(writer, *response.nonce);
  });
  return std::move(writer).take();
}

std::string encode_ocsp_response(const SignedResponse& response) {
  std::size_t bytes = 128 + response.tbs.size() + response.signature.size();
  for (const CertificatePtr& certificate : response.certificates) bytes += certificate->der.size();
  DerWriter writer(bytes);
  const auto write_basic = [&] {
    writer.raw(response.tbs);
    writer.raw(response.signature_algorithm);
    writer.bit_string(response.signature);
    if (response.certificates.empty()) return;
    writer.constructed(context_constructed(0), [&] {
      writer.constructed(kSequenceTag, [&] {
        for (const CertificatePtr& certificate : response.certificates) {
          writer.raw(certificate->der.bytes());
        }
      });
    });
  };
  writer.constructed(kSequenceTag, [&] {
    constexpr auto kSuccessful = static_cast<std::uint8_t>(OcspResponseStatus::successful);
    writer.primitive(kEnumeratedTag, {&kSuccessful, 1});
    writer.constructed(context_constructed(0), [&] {
      writer.constructed(kSequenceTag, [&] {
        writer.primitive(kObjectIdentifierTag, kBasic);
        writer.octet_string_of([&] { writer.constructed(kSequenceTag, write_basic); });
      });
    });
  });
  return std::move(writer).take();
}

std::string_view ocsp_error_response(OcspResponseStatus status) noexcept {
  using namespace std::string_view_literals;
  switch (status) {
    case OcspResponseStatus::malformed_request:
      return "\x30\x03\x0a\x01\x01"sv;
    case OcspResponseStatus::internal_error:
      return "\x30\x03\x0a\x01\x02"sv;
    case OcspResponseStatus::try_later:
      return "\x30\x03\x0a\x01\x03"sv;
    case OcspResponseStatus::sig_required:
      return "\x30\x03\x0a\x01\x05"sv;
    case OcspResponseStatus::unauthorized:
      return "\x30\x03\x0a\x01\x06"sv;
    case OcspResponseStatus::successful:
      break;
  }
  CHECK(false);  // a successful response has bytes that are signed
}

}  // namespace revcache::pki
