#include "pki/ocsp_response.h"

#include <array>
#include <utility>

#include "pki/asn1_time.h"
#include "pki/certificate_fields.h"
#include "pki/der.h"
#include "pki/distinguished_name.h"
#include "pki/object_identifier.h"

namespace revcache::pki {
namespace {

constexpr std::size_t kKeyHashBytes = 20;    // SHA-1 (4.2.1)
constexpr std::size_t kNonceBytesMax = 128;  // RFC 9654 section 2.1

// 1.3.6.1.5.5.7.48.1: followed by 1 basic response, 2 nonce, 3 CRL references, 6 archive cutoff,
// 9 extended revoke.
constexpr std::array<std::uint8_t, 8> kPkixOcsp{0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01};
constexpr std::uint8_t kBasicResponse = 1;
constexpr std::uint8_t kNonce = 2;
constexpr std::uint8_t kCrlReferences = 3;
constexpr std::uint8_t kArchiveCutoff = 6;
constexpr std::uint8_t kExtendedRevoke = 9;
constexpr std::uint8_t kInvalidityDate = 24;  // of id-ce

bool is_pkix_ocsp(ByteView oid, std::uint8_t number) noexcept {
  return oid.size() == kPkixOcsp.size() + 1 && equal(oid.first(kPkixOcsp.size()), kPkixOcsp) &&
         oid.back() == number;
}

// What is read apart from the response itself.
struct Walk {
  ParsedOcspResponse& response;
  std::vector<ByteView> certificates;
};

// [n] EXPLICIT Extensions OPTIONAL. Empty when absent; look at ok().
std::vector<Extension> read_tagged_extensions(DerReader& reader, std::uint8_t number) {
  const auto wrapper = reader.read_optional(context_constructed(number));
  if (!wrapper) return {};
  DerReader inner(wrapper->content);
  auto extensions = read_extensions(inner);
  if (extensions && inner.expect_end("data behind the Extensions")) return std::move(*extensions);
  reader.adopt(inner);
  return {};
}

void note_unknown(const Extension& extension, ParsedOcspResponse& response) {
  if (extension.critical) response.unknown_critical_extensions.push_back(dotted(extension.oid));
}

// Those that say more than the status, never less: known, and of no use here.
bool is_remark(ByteView oid) noexcept {
  return is_pkix_ocsp(oid, kCrlReferences) || is_pkix_ocsp(oid, kArchiveCutoff) ||
         is_id_ce(oid, kInvalidityDate);
}

bool read_single_extensions(DerReader& reader, ParsedOcspResponse& response) {
  for (const Extension& extension : read_tagged_extensions(reader, 1)) {
    if (!is_remark(extension.oid)) note_unknown(extension, response);
  }
  return reader.ok();
}

// Nonce ::= OCTET STRING (SIZE (1..128)), inside the extension's value.
bool read_nonce(DerReader& reader, ByteView value, ParsedOcspResponse& response) {
  DerReader inner(value);
  const auto nonce = inner.read(kOctetStringTag, "a nonce was expected");
  const bool fits = nonce && !nonce->content.empty() && nonce->content.size() <= kNonceBytesMax;
  if (!fits) inner.fail_at("a nonce that is empty or too long");
  if (!inner.expect_end("data behind the nonce")) return reader.adopt(inner);
  response.nonce = nonce->content;
  return true;
}

bool read_response_extensions(DerReader& data, ParsedOcspResponse& response) {
  for (const Extension& extension : read_tagged_extensions(data, 1)) {
    if (is_pkix_ocsp(extension.oid, kNonce)) {
      if (!read_nonce(data, extension.value, response)) return false;
    } else if (!is_pkix_ocsp(extension.oid, kExtendedRevoke)) {
      note_unknown(extension, response);
    }
  }
  return data.ok();
}

// [0] EXPLICIT CRLReason ::= ENUMERATED OPTIONAL
bool read_reason(DerReader& info, CrlReason& reason) {
  const auto wrapper = info.read_optional(context_constructed(0));
  if (!wrapper) return info.ok();
  DerReader inner(wrapper->content);
  const auto value = inner.read(kEnumeratedTag, "a revocation reason was expected");
  const auto known =
      value && value->content.size() == 1 ? crl_reason(value->content.front()) : std::nullopt;
  if (!known) inner.fail_at("a revocation reason that is none");
  if (!inner.expect_end("data behind the revocation reason")) return info.adopt(inner);
  reason = *known;
  return true;
}

// RevokedInfo ::= SEQUENCE { revocationTime GeneralizedTime, revocationReason [0] OPTIONAL }
bool read_revoked_info(DerReader& reader, ByteView content, SingleResponse& single) {
  DerReader info(content);
  const auto at = read_generalized_time(info, "a revocation time was expected");
  if (!at || !read_reason(info, single.reason) ||
      !info.expect_end("data behind the revocation reason")) {
    return reader.adopt(info);
  }
  single.revoked_at = *at;
  return true;
}

// CertStatus ::= CHOICE { good [0] IMPLICIT NULL, revoked [1] IMPLICIT RevokedInfo,
//                unknown [2] IMPLICIT NULL }
bool read_status(DerReader& reader, SingleResponse& single) {
  const DerReader start = reader;
  const auto element = reader.read_any();
  if (!element) return false;
  if (element->tag == context_constructed(1)) {
    single.status = OcspCertStatus::revoked;
    return read_revoked_info(reader, element->content, single);
  }
  const bool good = element->tag == context_primitive(0);
  const bool unknown = element->tag == context_primitive(2);
  if ((good || unknown) && element->content.empty()) {
    single.status = good ? OcspCertStatus::good : OcspCertStatus::unknown;
    return true;
  }
  reader = start;
  return reader.fail_at("a CertStatus was expected");
}

// nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL
bool read_next_update(DerReader& reader, SingleResponse& single) {
  const auto wrapper = reader.read_optional(context_constructed(0));
  if (!wrapper) return reader.ok();
  DerReader inner(wrapper->content);
  single.next_update = read_generalized_time(inner, "nextUpdate was expected");
  return inner.expect_end("data behind nextUpdate") || reader.adopt(inner);
}

// SingleResponse ::= SEQUENCE { certID, certStatus, thisUpdate GeneralizedTime,
//                    nextUpdate [0] EXPLICIT OPTIONAL, singleExtensions [1] EXPLICIT OPTIONAL }
bool read_single_response(DerReader& list, ParsedOcspResponse& response) {
  if (response.responses.size() == kSingleResponsesMax) {
    return list.fail_at("too many responses");
  }
  const auto whole = list.read(kSequenceTag, "a SingleResponse was expected");
  if (!whole) return false;
  DerReader inner(whole->content);
  SingleResponse single;
  const auto id = read_cert_id(inner);
  if (!id || !read_status(inner, single)) return list.adopt(inner);
  single.cert_id = *id;
  const auto this_update = read_generalized_time(inner, "thisUpdate was expected");
  const bool well_formed = this_update && read_next_update(inner, single) &&
                           read_single_extensions(inner, response) &&
                           inner.expect_end("data behind a SingleResponse");
  if (!well_formed) return list.adopt(inner);
  single.this_update = *this_update;
  response.responses.push_back(single);
  return true;
}

bool read_single_responses(DerReader& data, ParsedOcspResponse& response) {
  const auto whole = data.read(kSequenceTag, "responses were expected");
  if (!whole) return false;
  DerReader list(whole->content);
  if (list.at_end()) list.fail_at("no response at all");
  while (list.ok() && !list.at_end()) read_single_response(list, response);
  return list.ok() || data.adopt(list);
}

// ResponderID ::= CHOICE { byName [1] EXPLICIT Name, byKey [2] EXPLICIT OCTET STRING }
bool read_responder_id(DerReader& data, ParsedOcspResponse& response) {
  const bool by_name = data.next_is(context_constructed(1));
  const auto wrapper =
      data.read(context_constructed(by_name ? 1 : 2), "a ResponderID was expected");
  if (!wrapper) return false;
  DerReader inner(wrapper->content);
  if (by_name) {
    response.responder_name = read_name(inner).value_or(ByteView{});
  } else {
    const auto hash = inner.read(kOctetStringTag, "a key hash was expected");
    if (hash && hash->content.size() != kKeyHashBytes) inner.fail_at("a key hash that is no SHA-1");
    if (hash) response.responder_key_hash = hash->content;
  }
  return inner.expect_end("data behind the ResponderID") || data.adopt(inner);
}

// ResponseData. Its version has but one value, the default, so that there is none to be encoded.
bool read_response_data(DerReader& reader, ParsedOcspResponse& response) {
  const auto whole = reader.read(kSequenceTag, "a ResponseData was expected");
  if (!whole) return false;
  response.tbs = whole->whole;
  DerReader data(whole->content);
  if (data.next_is(context_constructed(0))) {
    data.fail_at("a version other than v1, or a default value that is encoded");
  }
  if (!read_responder_id(data, response)) return reader.adopt(data);
  const auto produced_at = read_generalized_time(data, "producedAt was expected");
  const bool well_formed = produced_at && read_single_responses(data, response) &&
                           read_response_extensions(data, response) &&
                           data.expect_end("data behind the ResponseData");
  if (!well_formed) return reader.adopt(data);
  response.produced_at = *produced_at;
  return true;
}

// certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL
bool read_certificates(DerReader& basic, std::vector<ByteView>& certificates) {
  const auto wrapper = basic.read_optional(context_constructed(0));
  if (!wrapper) return basic.ok();
  DerReader inner(wrapper->content);
  const auto list = inner.read(kSequenceTag, "certificates were expected");
  if (!list || !inner.expect_end("data behind the certificates")) return basic.adopt(inner);
  DerReader elements(list->content);
  while (elements.ok() && !elements.at_end()) {
    if (certificates.size() == kOcspCertificatesMax) {
      elements.fail_at("too many certificates");
      break;
    }
    const auto element = elements.read(kSequenceTag, "a Certificate was expected");
    if (element) certificates.push_back(element->whole);
  }
  return elements.ok() || basic.adopt(elements);
}

bool read_basic_response(DerReader& reader, Walk& walk) {
  const auto whole = reader.read(kSequenceTag, "a BasicOCSPResponse was expected");
  if (!whole || !reader.expect_end("data behind the BasicOCSPResponse")) return false;
  DerReader basic(whole->content);
  const bool well_formed =
      read_response_data(basic, walk.response) &&
      read_algorithm_identifier(basic, walk.response.signature_algorithm) &&
      read_bit_string(basic, walk.response.signature, "a signature was expected") &&
      read_certificates(basic, walk.certificates) && basic.expect_end("data behind the response");
  return well_formed || reader.adopt(basic);
}

// [0] EXPLICIT ResponseBytes ::= SEQUENCE { responseType OBJECT IDENTIFIER, response OCTET STRING }
bool read_response_bytes(DerReader& reader, Walk& walk) {
  const auto wrapper = reader.read(context_constructed(0), "responseBytes were expected");
  if (!wrapper) return false;
  DerReader outer(wrapper->content);
  const auto whole = outer.read(kSequenceTag, "ResponseBytes were expected");
  if (!whole || !outer.expect_end("data behind the ResponseBytes")) return reader.adopt(outer);
  DerReader inner(whole->content);
  const auto type = inner.read(kObjectIdentifierTag, "a response type was expected");
  if (type && !is_pkix_ocsp(type->content, kBasicResponse)) {
    inner.fail_at("a response type that is not basic");
  }
  const auto bytes = inner.read(kOctetStringTag, "a response was expected");
  if (!bytes || !inner.expect_end("data behind the response")) return reader.adopt(inner);
  DerReader content(bytes->content);
  return read_basic_response(content, walk) || reader.adopt(content);
}

// OCSPResponseStatus: 4 is not used.
bool read_response_status(DerReader& reader, OcspResponseStatus& status) {
  const DerReader start = reader;
  const auto element = reader.read(kEnumeratedTag, "a responseStatus was expected");
  if (!element) return false;
  const ByteView content = element->content;
  if (content.size() == 1 && content[0] <= 6 && content[0] != 4) {
    status = static_cast<OcspResponseStatus>(content[0]);
    return true;
  }
  reader = start;
  return reader.fail_at("a responseStatus that is none");
}

bool read_response(DerReader& reader, Walk& walk) {
  const auto whole = reader.read(kSequenceTag, "an OCSPResponse was expected");
  if (!whole || !reader.expect_end("data behind the OCSPResponse")) return false;
  DerReader inner(whole->content);
  if (!read_response_status(inner, walk.response.status)) return reader.adopt(inner);
  const bool successful = walk.response.status == OcspResponseStatus::successful;
  if (successful) read_response_bytes(inner, walk);
  // 4.2.1: an error comes without responseBytes.
  return inner.expect_end("data behind the OCSPResponse's content") || reader.adopt(inner);
}

Checked<void> parse_embedded(ParsedOcspResponse& response, const std::vector<ByteView>& found) {
  for (const ByteView whole : found) {
    const auto offset = static_cast<std::size_t>(whole.data() - response.der.bytes().data());
    auto certificate = parse_certificate(response.der.slice(offset, whole.size()));
    if (!certificate) {
      return refuse(Refusal::malformed, "certificate at offset " + std::to_string(offset) + ": " +
                                            certificate.error().detail);
    }
    response.certificates.push_back(std::move(*certificate));
  }
  return {};
}

}  // namespace

std::string_view to_string(OcspResponseStatus status) noexcept {
  switch (status) {
    case OcspResponseStatus::successful:
      return "successful";
    case OcspResponseStatus::malformed_request:
      return "malformedRequest";
    case OcspResponseStatus::internal_error:
      return "internalError";
    case OcspResponseStatus::try_later:
      return "tryLater";
    case OcspResponseStatus::sig_required:
      return "sigRequired";
    case OcspResponseStatus::unauthorized:
      break;
  }
  return "unauthorized";
}

std::string_view to_string(OcspCertStatus status) noexcept {
  switch (status) {
    case OcspCertStatus::good:
      return "good";
    case OcspCertStatus::revoked:
      return "revoked";
    case OcspCertStatus::unknown:
      break;
  }
  return "unknown";
}

Checked<ParsedOcspResponsePtr> parse_ocsp_response(SharedBytes der) {
  if (der.size() > kOcspResponseBytesMax) {
    return refuse(Refusal::malformed, "an OCSPResponse that is too long");
  }
  auto response = std::make_shared<ParsedOcspResponse>();
  response->der = std::move(der);
  const ByteView bytes = response->der.bytes();
  DerReader reader(bytes);
  Walk walk{*response, {}};
  if (!read_response(reader, walk)) {
    return refuse(Refusal::malformed, describe_fault(reader, bytes));
  }
  auto embedded = parse_embedded(*response, walk.certificates);
  if (!embedded) return std::unexpected(std::move(embedded).error());
  return response;
}

}  // namespace revcache::pki
