#include "pki/crl_extensions.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "pki/asn1_time.h"
#include "pki/certificate_extensions.h"
#include "pki/certificate_fields.h"
#include "pki/object_identifier.h"

namespace revcache::pki {
namespace {

// 1.3.6.1.4.1.311.21.4
constexpr std::array<std::uint8_t, 9> kNextPublish{0x2b, 0x06, 0x01, 0x04, 0x01,
                                                   0x82, 0x37, 0x15, 0x04};

bool read_number(DerReader& value, ByteView& number) noexcept {
  const DerReader start = value;
  const auto content = value.read_integer("a CRL number was expected");
  if (!content) return false;
  if (content->front() >= 0x80 || significant_octets(*content).size() > kCrlNumberBytesMax) {
    value = start;
    return value.fail_at("a CRL number that is negative or too long");
  }
  number = *content;
  return true;
}

bool read_key_id(DerReader& value, ByteView& key_id) noexcept {
  const auto whole = value.read(kSequenceTag, "an authority key identifier was expected");
  if (!whole) return false;
  DerReader inner(whole->content);
  const auto id = inner.read_optional(context_primitive(0));
  if (inner.ok()) inner.read_optional(context_constructed(1));
  if (inner.ok()) inner.read_optional(context_primitive(2));
  if (!inner.expect_end("data behind the key identifier")) return value.adopt(inner);
  if (id) key_id = id->content;
  return true;
}

bool read_full_name(DerReader& names, std::vector<std::string>& urls) {
  if (names.at_end()) return names.fail_at("no name of a distribution point");
  while (names.ok() && !names.at_end()) {
    const auto name = read_general_name(names);
    if (!name || name->kind != GeneralNameKind::uri) continue;
    if (urls.size() == kCertificateUrlsMax) return names.fail_at("too many URLs");
    urls.emplace_back(as_text(name->content));
  }
  return names.ok();
}

// DistributionPointName ::= CHOICE { fullName [0] GeneralNames,
//                           nameRelativeToCRLIssuer [1] RelativeDistinguishedName }
bool read_point_name(DerReader& point, CrlScope& scope) {
  const auto tagged = point.read_optional(context_constructed(0));
  if (!tagged) return point.ok();
  scope.has_distribution_point = true;
  DerReader choice(tagged->content);
  if (choice.next_is(context_constructed(1))) {
    choice.read_any();
  } else if (const auto full = choice.read(context_constructed(0), "a fullName was expected")) {
    DerReader names(full->content);
    if (!read_full_name(names, scope.urls)) return point.adopt(names);
  }
  return choice.expect_end("data behind a distribution point's name") || point.adopt(choice);
}

// [number] IMPLICIT BOOLEAN DEFAULT FALSE; a FALSE that is written out is accepted, as elsewhere.
bool read_flag(DerReader& point, std::uint8_t number, bool& flag) noexcept {
  const DerReader start = point;
  const auto element = point.read_optional(context_primitive(number));
  if (!element) return point.ok();
  const ByteView content = element->content;
  if (content.size() == 1 && (content[0] == 0x00 || content[0] == 0xff)) {
    flag = content[0] != 0;
    return true;
  }
  point = start;
  return point.fail_at("a BOOLEAN that is neither 00 nor ff");
}

bool read_issuing_point(DerReader& value, CrlScope& scope) {
  const auto whole = value.read(kSequenceTag, "an issuing distribution point was expected");
  if (!whole) return false;
  DerReader inner(whole->content);
  bool read = read_point_name(inner, scope) && read_flag(inner, 1, scope.only_user_certificates) &&
              read_flag(inner, 2, scope.only_ca_certificates);
  if (read) scope.only_some_reasons = inner.read_optional(context_primitive(3)).has_value();
  read = read && inner.ok() && read_flag(inner, 4, scope.indirect) &&
         read_flag(inner, 5, scope.only_attribute_certificates);
  if (!read || !inner.expect_end("data behind an issuing distribution point")) {
    return value.adopt(inner);
  }
  const int kinds = int{scope.only_user_certificates} + int{scope.only_ca_certificates} +
                    int{scope.only_attribute_certificates};
  return kinds <= 1 || value.fail_at("an issuing distribution point for disjoint certificates");
}

bool read_freshest(DerReader& value, ByteView octets, std::vector<std::string>& urls) {
  std::vector<DistributionPoint> points;
  if (!read_distribution_points(value, octets, points)) return false;
  value = DerReader(octets.last(0));
  for (DistributionPoint& point : points) {
    for (std::string& url : point.urls) {
      if (urls.size() == kCertificateUrlsMax) return value.fail_at("too many URLs");
      urls.push_back(std::move(url));
    }
  }
  return true;
}

bool read_next_publish(DerReader& value, ParsedCrl& crl) noexcept {
  crl.next_publish = read_time(value, "the time of the next publication was expected");
  return crl.next_publish.has_value();
}

// nullopt: none that is understood. Else whether it was read; `value` says why not.
std::optional<bool> read_known(const Extension& extension, DerReader& value, ParsedCrl& crl) {
  if (equal(extension.oid, kNextPublish)) return read_next_publish(value, crl);
  if (extension.oid.size() != 3 || !is_id_ce(extension.oid, extension.oid[2])) return std::nullopt;
  switch (extension.oid[2]) {
    case 20:
      return read_number(value, crl.number);
    case 27:
      return read_number(value, crl.base_number);
    case 28:
      crl.scope.extension = extension.value;
      return read_issuing_point(value, crl.scope);
    case 35:
      return read_key_id(value, crl.authority_key_id);
    case 46:
      return read_freshest(value, extension.value, crl.freshest_crl_urls);
    default:
      return std::nullopt;
  }
}

}  // namespace

bool read_crl_extensions(DerReader& reader, ParsedCrl& crl) {
  const auto extensions = read_extensions(reader);
  if (!extensions) return false;
  crl.has_extensions = true;
  for (const Extension& extension : *extensions) {
    DerReader value(extension.value);
    const auto read = read_known(extension, value, crl);
    if (read) {
      if (!value.expect_end("data behind an extension's value")) return reader.adopt(value);
    } else if (extension.critical) {
      crl.unknown_critical_extensions.push_back(dotted(extension.oid));
    }
  }
  return true;
}

}  // namespace revcache::pki
