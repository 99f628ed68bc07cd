#include "pki/ocsp_request.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "pki/der.h"

namespace revcache::pki {
namespace {

constexpr std::size_t kNonceBytesMax = 128;  // RFC 9654 section 2.1
constexpr std::size_t kExtensionsMax = 32;

// 1.3.6.1.5.5.7.48.1.x: 2 nonce, 4 acceptable responses, 8 preferred signature algorithms.
constexpr std::array<std::uint8_t, 8> kPkixOcsp{0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01};

enum class ExtensionKind : std::uint8_t { nonce, preferred_algorithms, harmless, unknown };

ExtensionKind kind_of(ByteView oid) noexcept {
  if (oid.size() != kPkixOcsp.size() + 1 || !equal(oid.first(kPkixOcsp.size()), kPkixOcsp)) {
    return ExtensionKind::unknown;
  }
  switch (oid.back()) {
    case 2:
      return ExtensionKind::nonce;
    case 4:
      return ExtensionKind::harmless;
    case 8:
      return ExtensionKind::preferred_algorithms;
    default:
      return ExtensionKind::unknown;
  }
}

// What one walk over the DER finds, without allocating.
struct Findings {
  CertId first_cert_id;
  std::size_t requests = 0;
  std::optional<ByteView> nonce;
  std::optional<ByteView> preferred_algorithms;
  bool has_critical_extension = false;
  bool has_unknown_critical_extension = false;
  bool is_signed = false;
};

struct Extension {
  ExtensionKind kind = ExtensionKind::unknown;
  bool critical = false;
  ByteView value;
};

// Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE,
//               extnValue OCTET STRING }
bool read_extension(DerReader& extensions, Extension& extension) noexcept {
  const auto whole = extensions.read(kSequenceTag, "an Extension was expected");
  if (!whole) return false;
  DerReader inner(whole->content);
  const auto oid = inner.read(kObjectIdentifierTag, "an extension's name was expected");
  if (oid && !is_object_identifier(oid->content)) inner.fail_at("a malformed OBJECT IDENTIFIER");
  if (inner.ok() && inner.next_is(kBooleanTag)) {
    extension.critical = inner.read_boolean("a BOOLEAN was expected").value_or(false);
    // X.690 11.5: a default value is not encoded.
    if (inner.ok() && !extension.critical) inner.fail_at("a default value that is encoded");
  }
  const auto value = inner.read(kOctetStringTag, "an extension's value was expected");
  if (!value || !inner.expect_end("data behind an extension's value")) {
    return extensions.adopt(inner);
  }
  extension.kind = kind_of(oid->content);
  extension.value = value->content;
  return true;
}

// Nonce ::= OCTET STRING (SIZE (1..128)), inside the extension's value.
bool note_nonce(DerReader& extensions, ByteView value, Findings& findings) noexcept {
  if (findings.nonce) return extensions.fail_at("two nonces");
  DerReader inner(value);
  const auto nonce = inner.read(kOctetStringTag, "a nonce was expected");
  if (!nonce || !inner.expect_end("data behind the nonce")) return extensions.adopt(inner);
  if (nonce->content.empty() || nonce->content.size() > kNonceBytesMax) {
    return extensions.fail_at("a nonce that is empty or too long");
  }
  findings.nonce = nonce->content;
  return true;
}

bool note(DerReader& extensions, const Extension& extension, Findings& findings) noexcept {
  if (extension.critical) findings.has_critical_extension = true;
  switch (extension.kind) {
    case ExtensionKind::nonce:
      return note_nonce(extensions, extension.value, findings);
    case ExtensionKind::preferred_algorithms:
      if (findings.preferred_algorithms) return extensions.fail_at("an extension twice");
      findings.preferred_algorithms = extension.value;
      return true;
    case ExtensionKind::harmless:
      return true;
    case ExtensionKind::unknown:
      break;
  }
  if (extension.critical) findings.has_unknown_critical_extension = true;
  return true;
}

// [n] EXPLICIT Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension. Those of a single request say
// nothing about nonce and algorithms (RFC 6960 4.4): only whether they are critical counts.
bool read_extensions(DerReader& reader, Tag tag, bool of_message, Findings& findings) noexcept {
  const auto wrapper = reader.read_optional(tag);
  if (!wrapper) return reader.ok();
  DerReader outer(wrapper->content);
  const auto list = outer.read(kSequenceTag, "Extensions were expected");
  if (!list || !outer.expect_end("data behind the Extensions")) return reader.adopt(outer);
  DerReader extensions(list->content);
  if (extensions.at_end()) extensions.fail_at("empty Extensions");
  for (std::size_t count = 0; extensions.ok() && !extensions.at_end(); ++count) {
    Extension extension;
    if (count == kExtensionsMax) {
      extensions.fail_at("too many extensions");
    } else if (read_extension(extensions, extension)) {
      if (!of_message) extension.kind = ExtensionKind::unknown;
      note(extensions, extension, findings);
    }
  }
  return extensions.ok() || reader.adopt(extensions);
}

// One Request of the list. `all` may be null.
bool read_request(DerReader& requests, Findings& findings, std::vector<CertId>* all) {
  if (findings.requests == kOcspRequestsMax) return requests.fail_at("too many requests");
  const auto request = requests.read(kSequenceTag, "a Request was expected");
  if (!request) return false;
  DerReader inner(request->content);
  const auto id = read_cert_id(inner);
  const bool well_formed = id && read_extensions(inner, context_constructed(0), false, findings) &&
                           inner.expect_end("data behind a Request");
  if (!well_formed) return requests.adopt(inner);
  if (findings.requests++ == 0) findings.first_cert_id = *id;
  if (all != nullptr) all->push_back(*id);
  return true;
}

// requestList. `all` may be null.
bool read_requests(DerReader& reader, Findings& findings, std::vector<CertId>* all) {
  const auto list = reader.read(kSequenceTag, "a requestList was expected");
  if (!list) return false;
  DerReader requests(list->content);
  if (requests.at_end()) return reader.fail_at("an empty requestList");
  while (!requests.at_end()) {
    if (!read_request(requests, findings, all)) return reader.adopt(requests);
  }
  return true;
}

// Version ::= INTEGER { v1(0) } DEFAULT v1, so that there is none to be encoded. requestorName is
// one GeneralName: looked at for form only.
bool read_before_requests(DerReader& tbs) noexcept {
  if (tbs.next_is(context_constructed(0))) {
    return tbs.fail_at("a version other than v1, or a default value that is encoded");
  }
  const auto name = tbs.read_optional(context_constructed(1));
  if (!name) return tbs.ok();
  DerReader inner(name->content);
  inner.read_any();
  return inner.expect_end("data behind the requestorName") || tbs.adopt(inner);
}

// Signature ::= SEQUENCE { … } under [0]: whoever verifies it looks inside.
bool read_signature(DerReader& message, Findings& findings) noexcept {
  const auto wrapper = message.read_optional(context_constructed(0));
  if (!wrapper) return message.ok();
  DerReader inner(wrapper->content);
  inner.read(kSequenceTag, "a Signature was expected");
  if (!inner.expect_end("data behind the Signature")) return message.adopt(inner);
  findings.is_signed = true;
  return true;
}

bool read_message(DerReader& reader, Findings& findings, std::vector<CertId>* all) {
  const auto whole = reader.read(kSequenceTag, "an OCSPRequest was expected");
  if (!whole || !reader.expect_end("data behind the OCSPRequest")) return false;
  DerReader message(whole->content);
  const auto tbs_element = message.read(kSequenceTag, "a TBSRequest was expected");
  if (!tbs_element) return reader.adopt(message);
  DerReader tbs(tbs_element->content);
  const bool well_formed = read_before_requests(tbs) && read_requests(tbs, findings, all) &&
                           read_extensions(tbs, context_constructed(2), true, findings) &&
                           tbs.expect_end("data behind the TBSRequest");
  if (!well_formed) return reader.adopt(tbs);
  const bool complete =
      read_signature(message, findings) && message.expect_end("data behind the signature");
  return complete || reader.adopt(message);
}

Result<Findings> walk(ByteView der, std::vector<CertId>* all) {
  if (der.size() > kOcspRequestBytesMax) {
    return fail(ErrorCode::malformed, Blame::client, "an OCSPRequest that is too long");
  }
  DerReader reader(der);
  Findings findings;
  if (read_message(reader, findings, all)) return findings;
  return fail(ErrorCode::malformed, Blame::client, describe_fault(reader, der));
}

}  // namespace

Result<OcspRequest> parse_ocsp_request(ByteView der) {
  OcspRequest request;
  auto findings = walk(der, &request.requests);
  if (!findings) return fail(std::move(findings));
  request.nonce = findings->nonce;
  request.preferred_signature_algorithms = findings->preferred_algorithms.value_or(ByteView{});
  request.has_unknown_critical_extension = findings->has_unknown_critical_extension;
  request.is_signed = findings->is_signed;
  return request;
}

Result<OcspQuestion> parse_ocsp_question(ByteView der) {
  auto findings = walk(der, nullptr);
  if (!findings) return fail(std::move(findings));
  OcspQuestion question;
  question.cert_id = findings->first_cert_id;
  question.preferred_signature_algorithms = findings->preferred_algorithms.value_or(ByteView{});
  question.single =
      findings->requests == 1 && !findings->has_critical_extension && !findings->is_signed;
  question.has_nonce = findings->nonce.has_value();
  return question;
}

}  // namespace revcache::pki
