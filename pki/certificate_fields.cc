#include "pki/certificate_fields.h"

#include <openssl/asn1.h>

#include <algorithm>
#include <array>

#include "pki/certificate.h"

namespace revcache::pki {
namespace {

constexpr std::array<std::uint8_t, 2> kIdCe{0x55, 0x1d};
constexpr std::uint8_t kGeneralNameKinds = 9;

// otherName, x400Address, directoryName and ediPartyName hold further elements.
constexpr Tag tag_of(std::uint8_t kind) noexcept {
  const bool constructed = kind == 0 || (kind >= 3 && kind <= 5);
  return constructed ? context_constructed(kind) : context_primitive(kind);
}

bool is_visible_ascii(ByteView bytes) noexcept {
  return std::ranges::all_of(bytes,
                             [](std::uint8_t octet) { return octet >= 0x20 && octet < 0x7f; });
}

}  // namespace

bool read_algorithm_identifier(DerReader& reader, ByteView& whole) noexcept {
  const auto element = reader.read(kSequenceTag, "an AlgorithmIdentifier was expected");
  if (!element) return false;
  DerReader inner(element->content);
  const auto oid = inner.read(kObjectIdentifierTag, "an algorithm was expected");
  if (oid && !is_object_identifier(oid->content)) inner.fail_at("a malformed OBJECT IDENTIFIER");
  if (inner.ok() && !inner.at_end()) inner.read_any();
  if (!inner.expect_end("data behind the algorithm's parameters")) return reader.adopt(inner);
  whole = element->whole;
  return true;
}

bool read_bit_string(DerReader& reader, ByteView& octets, std::string_view what) noexcept {
  const DerReader start = reader;
  const auto element = reader.read(kBitStringTag, what);
  if (!element) return false;
  if (element->content.empty() || element->content.front() != 0) {
    reader = start;
    return reader.fail_at("a BIT STRING with unused bits");
  }
  octets = element->content.subspan(1);
  return true;
}

std::optional<Extension> read_extension(DerReader& extensions) noexcept {
  const auto whole = extensions.read(kSequenceTag, "an Extension was expected");
  if (!whole) return std::nullopt;
  Extension extension;
  DerReader inner(whole->content);
  const auto oid = inner.read(kObjectIdentifierTag, "an extension's name was expected");
  if (oid && !is_object_identifier(oid->content)) inner.fail_at("a malformed OBJECT IDENTIFIER");
  if (inner.ok() && inner.next_is(kBooleanTag)) {
    extension.critical = inner.read_boolean("a BOOLEAN was expected").value_or(false);
  }
  const auto value = inner.read(kOctetStringTag, "an extension's value was expected");
  if (!value || !inner.expect_end("data behind an extension's value")) {
    extensions.adopt(inner);
    return std::nullopt;
  }
  extension.oid = oid->content;
  extension.value = value->content;
  return extension;
}

std::optional<std::vector<Extension>> read_extensions(DerReader& reader) {
  const auto list = reader.read(kSequenceTag, "Extensions were expected");
  if (!list) return std::nullopt;
  DerReader inner(list->content);
  std::vector<Extension> extensions;
  if (inner.at_end()) inner.fail_at("empty Extensions");
  while (inner.ok() && !inner.at_end()) {
    const DerReader start = inner;
    const auto extension = read_extension(inner);
    if (!extension) break;
    const bool twice = std::ranges::any_of(
        extensions, [&](const Extension& seen) { return equal(seen.oid, extension->oid); });
    if (twice || extensions.size() == kExtensionsMax) {
      inner = start;
      inner.fail_at(twice ? "an extension twice" : "too many extensions");
      break;
    }
    extensions.push_back(*extension);
  }
  if (inner.ok()) return extensions;
  reader.adopt(inner);
  return std::nullopt;
}

std::optional<GeneralName> read_general_name(DerReader& names) noexcept {
  const DerReader start = names;
  const auto element = names.read_any();
  if (!element) return std::nullopt;
  GeneralName name;
  for (std::uint8_t kind = 0; kind < kGeneralNameKinds; ++kind) {
    if (element->tag != tag_of(kind)) continue;
    name.kind = static_cast<GeneralNameKind>(kind);
    name.content = element->content;
    const bool is_text = name.kind == GeneralNameKind::rfc822_name ||
                         name.kind == GeneralNameKind::dns_name ||
                         name.kind == GeneralNameKind::uri;
    if (!is_text || is_visible_ascii(name.content)) return name;
    names = start;
    names.fail_at("a name with octets that are not visible ASCII");
    return std::nullopt;
  }
  names = start;
  names.fail_at("a GeneralName was expected");
  return std::nullopt;
}

bool is_printable_utf8(ByteView bytes) noexcept {
  while (!bytes.empty()) {
    unsigned long code = 0;
    const int octets = UTF8_getc(bytes.data(), static_cast<int>(bytes.size()), &code);
    if (octets <= 0) return false;
    const bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    const bool is_surrogate = code >= 0xd800 && code < 0xe000;
    if (is_control || is_surrogate || code > 0x10ffff) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(octets));
  }
  return true;
}

bool is_id_ce(ByteView oid, std::uint8_t number) noexcept {
  return oid.size() == 3 && oid[0] == kIdCe[0] && oid[1] == kIdCe[1] && oid[2] == number;
}

}  // namespace revcache::pki
