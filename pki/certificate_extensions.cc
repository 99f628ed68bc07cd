#include "pki/certificate_extensions.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "pki/object_identifier.h"

namespace revcache::pki {
namespace {

constexpr Tag kUtf8StringTag = 0x0c;

// 1.3.6.1.5.5.7.48: 1 OCSP, 2 caIssuers.
constexpr std::array<std::uint8_t, 7> kAccessMethods{0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30};
// 1.3.6.1.5.5.7.1.1
constexpr std::array<std::uint8_t, 8> kAuthorityInfoAccess{0x2b, 0x06, 0x01, 0x05,
                                                           0x05, 0x07, 0x01, 0x01};
// 1.3.6.1.5.5.7.48.1.5
constexpr std::array<std::uint8_t, 9> kOcspNoCheck{0x2b, 0x06, 0x01, 0x05, 0x05,
                                                   0x07, 0x30, 0x01, 0x05};
// 1.3.6.1.4.1.311.20.2.3
constexpr std::array<std::uint8_t, 10> kUserPrincipalName{0x2b, 0x06, 0x01, 0x04, 0x01,
                                                          0x82, 0x37, 0x14, 0x02, 0x03};

// Runs `read_one` over the elements of the SEQUENCE that is the whole of `value`; at least one.
template <class ReadOne>
bool read_list(DerReader& reader, ByteView value, std::string_view what, const ReadOne& read_one) {
  DerReader outer(value);
  const auto list = outer.read(kSequenceTag, what);
  if (!list || !outer.expect_end("data behind an extension's content")) return reader.adopt(outer);
  DerReader inner(list->content);
  if (inner.at_end()) inner.fail_at(what);
  while (inner.ok() && !inner.at_end()) read_one(inner);
  return inner.ok() || reader.adopt(inner);
}

bool keep_url(DerReader& reader, ByteView url, std::vector<std::string>& urls) {
  if (urls.size() == kCertificateUrlsMax) return reader.fail_at("too many URLs");
  urls.emplace_back(as_text(url));
  return true;
}

// BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }
bool read_basic_constraints(DerReader& reader, ByteView value, Certificate& certificate) {
  DerReader outer(value);
  const auto whole = outer.read(kSequenceTag, "basic constraints were expected");
  if (!whole || !outer.expect_end("data behind the basic constraints")) return reader.adopt(outer);
  DerReader inner(whole->content);
  certificate.has_basic_constraints = true;
  if (inner.next_is(kBooleanTag)) {
    certificate.is_ca = inner.read_boolean("a BOOLEAN was expected").value_or(false);
  }
  if (inner.ok() && !inner.at_end()) {
    const auto length = inner.read_integer("a path length was expected");
    if (length && length->front() >= 0x80) inner.fail_at("a negative path length");
    std::uint64_t number = 0;
    for (const std::uint8_t octet : length.value_or(ByteView{})) {
      number =
          std::min<std::uint64_t>(number << 8U | octet, std::numeric_limits<std::uint32_t>::max());
    }
    certificate.path_length_max = static_cast<std::uint32_t>(number);
  }
  return inner.expect_end("data behind the path length") || reader.adopt(inner);
}

// KeyUsage ::= BIT STRING. Zero bits at the end, which DER leaves out, are accepted: some CAs write
// the whole octet.
bool read_key_usage(DerReader& reader, ByteView value, Certificate& certificate) {
  constexpr unsigned kBitsOfOctet = 8;
  DerReader inner(value);
  const auto bits = inner.read(kBitStringTag, "a key usage was expected");
  if (!bits || !inner.expect_end("data behind the key usage")) return reader.adopt(inner);
  const ByteView content = bits->content;
  const bool well_formed =
      !content.empty() && content.size() <= 3 && content[0] < kBitsOfOctet &&
      (content.size() > 1 || content[0] == 0) &&
      (content.size() == 1 || (content.back() & ((1U << content[0]) - 1U)) == 0);
  if (!well_formed) {
    inner.fail_at("a malformed key usage");
    return reader.adopt(inner);
  }
  unsigned usage = 0;
  for (std::size_t octet = 1; octet < content.size(); ++octet) {
    for (unsigned bit = 0; bit < kBitsOfOctet; ++bit) {
      const bool is_set = (content[octet] & (0x80U >> bit)) != 0;
      if (is_set) usage |= 1U << ((octet - 1) * kBitsOfOctet + bit);
    }
  }
  certificate.key_usage = static_cast<std::uint16_t>(usage);
  return true;
}

// ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF KeyPurposeId
bool read_extended_key_usage(DerReader& reader, ByteView value, Certificate& certificate) {
  std::vector<std::string> purposes;
  const bool well_formed =
      read_list(reader, value, "key purposes were expected", [&](DerReader& list) {
        const auto oid = list.read(kObjectIdentifierTag, "a key purpose was expected");
        if (!oid) return false;
        if (!is_object_identifier(oid->content)) {
          return list.fail_at("a malformed OBJECT IDENTIFIER");
        }
        purposes.push_back(dotted(oid->content));
        return true;
      });
  certificate.extended_key_usage = std::move(purposes);
  return well_formed;
}

bool read_subject_key_id(DerReader& reader, ByteView value, Certificate& certificate) {
  DerReader inner(value);
  const auto key_id = inner.read(kOctetStringTag, "a subject key identifier was expected");
  if (!key_id || !inner.expect_end("data behind the key identifier")) return reader.adopt(inner);
  certificate.subject_key_id = key_id->content;
  return true;
}

// AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] OPTIONAL, authorityCertIssuer [1]
//                            OPTIONAL, authorityCertSerialNumber [2] OPTIONAL }
bool read_authority_key_id(DerReader& reader, ByteView value, ByteView& key_id) {
  DerReader outer(value);
  const auto whole = outer.read(kSequenceTag, "an authority key identifier was expected");
  if (!whole || !outer.expect_end("data behind the key identifier")) return reader.adopt(outer);
  DerReader inner(whole->content);
  const auto id = inner.read_optional(context_primitive(0));
  if (inner.ok()) inner.read_optional(context_constructed(1));
  if (inner.ok()) inner.read_optional(context_primitive(2));
  if (!inner.expect_end("data behind the key identifier")) return reader.adopt(inner);
  if (id) key_id = id->content;
  return true;
}

// AccessDescription ::= SEQUENCE { accessMethod OBJECT IDENTIFIER, accessLocation GeneralName }
bool read_access_description(DerReader& list, Certificate& certificate) {
  const auto whole = list.read(kSequenceTag, "an AccessDescription was expected");
  if (!whole) return false;
  DerReader inner(whole->content);
  const auto method = inner.read(kObjectIdentifierTag, "an access method was expected");
  const auto location = read_general_name(inner);
  if (!location || !inner.expect_end("data behind an AccessDescription")) return list.adopt(inner);
  const ByteView oid = method->content;
  const bool known =
      oid.size() == kAccessMethods.size() + 1 && equal(oid.first(oid.size() - 1), kAccessMethods);
  if (!known || location->kind != GeneralNameKind::uri) return true;
  if (oid.back() == 1) return keep_url(list, location->content, certificate.ocsp_urls);
  if (oid.back() == 2) return keep_url(list, location->content, certificate.ca_issuer_urls);
  return true;
}

// otherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY }, implicitly tagged.
bool read_other_name(DerReader& names, ByteView content, Certificate& certificate) {
  DerReader inner(content);
  const auto type = inner.read(kObjectIdentifierTag, "the type of an otherName was expected");
  const auto wrapper = inner.read(context_constructed(0), "the value of an otherName was expected");
  if (!wrapper || !inner.expect_end("data behind an otherName")) return names.adopt(inner);
  DerReader value(wrapper->content);
  const auto text = value.read_any();
  if (!text || !value.expect_end("data behind the value of an otherName")) {
    return names.adopt(value);
  }
  if (!equal(type->content, kUserPrincipalName) || text->tag != kUtf8StringTag) return true;
  if (!is_printable_utf8(text->content)) {
    return names.fail_at("a user principal name that is no printable UTF-8");
  }
  certificate.user_principal_names.emplace_back(as_text(text->content));
  return true;
}

bool read_alternative_name(DerReader& names, Certificate& certificate) {
  const auto name = read_general_name(names);
  if (!name) return false;
  switch (name->kind) {
    case GeneralNameKind::other_name:
      return read_other_name(names, name->content, certificate);
    case GeneralNameKind::dns_name:
      certificate.dns_names.emplace_back(as_text(name->content));
      return true;
    case GeneralNameKind::rfc822_name:
      certificate.email_addresses.emplace_back(as_text(name->content));
      return true;
    default:
      return true;
  }
}

bool read_distribution_point_name(DerReader& point, ByteView content, DistributionPoint& kept) {
  DerReader choice(content);
  const auto name = choice.read_any();
  if (!name || !choice.expect_end("data behind a DistributionPointName")) {
    return point.adopt(choice);
  }
  kept.has_relative_name = name->tag == context_constructed(1);
  if (kept.has_relative_name) return true;
  if (name->tag != context_constructed(0)) return point.fail_at("a fullName was expected");
  DerReader names(name->content);
  while (names.ok() && !names.at_end()) {
    const auto full_name = read_general_name(names);
    if (full_name && full_name->kind == GeneralNameKind::uri) {
      keep_url(names, full_name->content, kept.urls);
    }
  }
  return names.ok() || point.adopt(names);
}

bool read_distribution_point(DerReader& list, std::vector<DistributionPoint>& points) {
  if (points.size() == kCertificateUrlsMax) return list.fail_at("too many distribution points");
  const auto whole = list.read(kSequenceTag, "a DistributionPoint was expected");
  if (!whole) return false;
  DistributionPoint kept;
  DerReader inner(whole->content);
  if (const auto name = inner.read_optional(context_constructed(0))) {
    read_distribution_point_name(inner, name->content, kept);
  }
  kept.has_reasons = inner.ok() && inner.read_optional(context_primitive(1)).has_value();
  kept.has_crl_issuer = inner.ok() && inner.read_optional(context_constructed(2)).has_value();
  if (!inner.expect_end("data behind a DistributionPoint")) return list.adopt(inner);
  points.push_back(std::move(kept));
  return true;
}

bool note_unknown(const Extension& extension, Certificate& certificate) {
  if (extension.critical) {
    certificate.unknown_critical_extensions.push_back(dotted(extension.oid));
  }
  return true;
}

// Those of id-ce. Not acted upon, and therefore unknown when critical: policyMappings (33),
// policyConstraints (36), inhibitAnyPolicy (54). A critical certificatePolicies (32) says nothing
// to whoever accepts any policy.
bool read_standard_extension(DerReader& reader, const Extension& extension,
                             Certificate& certificate) {
  switch (extension.oid.back()) {
    case 14:
      return read_subject_key_id(reader, extension.value, certificate);
    case 15:
      return read_key_usage(reader, extension.value, certificate);
    case 17:
      return read_list(reader, extension.value, "alternative names were expected",
                       [&](DerReader& names) { return read_alternative_name(names, certificate); });
    case 18:
    case 32:
      return true;
    case 19:
      return read_basic_constraints(reader, extension.value, certificate);
    case 30:
      certificate.has_name_constraints = true;
      return true;
    case 31:
      return read_distribution_points(reader, extension.value, certificate.crl_distribution_points);
    case 35:
      return read_authority_key_id(reader, extension.value, certificate.authority_key_id);
    case 37:
      return read_extended_key_usage(reader, extension.value, certificate);
    case 46:
      return read_distribution_points(reader, extension.value, certificate.freshest_crl);
    default:
      return note_unknown(extension, certificate);
  }
}

}  // namespace

bool read_certificate_extension(DerReader& reader, const Extension& extension,
                                Certificate& certificate) {
  if (extension.oid.size() == 3 && is_id_ce(extension.oid, extension.oid.back())) {
    return read_standard_extension(reader, extension, certificate);
  }
  if (equal(extension.oid, kAuthorityInfoAccess)) {
    return read_list(reader, extension.value, "access descriptions were expected",
                     [&](DerReader& list) { return read_access_description(list, certificate); });
  }
  if (equal(extension.oid, kOcspNoCheck)) {
    certificate.ocsp_nocheck = true;
    return true;
  }
  return note_unknown(extension, certificate);
}

bool read_distribution_points(DerReader& reader, ByteView value,
                              std::vector<DistributionPoint>& points) {
  return read_list(reader, value, "distribution points were expected",
                   [&](DerReader& list) { return read_distribution_point(list, points); });
}

}  // namespace revcache::pki
