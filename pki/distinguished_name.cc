#include "pki/distinguished_name.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <memory>

#include "pki/certificate_fields.h"
#include "pki/openssl_ptr.h"
#include "pki/signature.h"

namespace revcache::pki {
namespace {

constexpr Tag kUtf8StringTag = 0x0c;
constexpr Tag kPrintableStringTag = 0x13;
constexpr Tag kIa5StringTag = 0x16;
constexpr Tag kUniversalStringTag = 0x1c;
constexpr Tag kBmpStringTag = 0x1e;

struct Attribute {
  ByteView type;
  DerElement value;
};

bool is_utf8(ByteView bytes) noexcept {
  while (!bytes.empty()) {
    unsigned long code = 0;
    const int octets = UTF8_getc(bytes.data(), static_cast<int>(bytes.size()), &code);
    if (octets <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(octets));
  }
  return true;
}

bool is_well_formed(const DerElement& value) noexcept {
  if (value.tag == kUtf8StringTag) return is_utf8(value.content);
  if (value.tag == kBmpStringTag) return value.content.size() % 2 == 0;
  return value.tag != kUniversalStringTag || value.content.size() % 4 == 0;
}

std::optional<Attribute> read_attribute(DerReader& set) noexcept {
  const auto whole = set.read(kSequenceTag, "an attribute of a name was expected");
  if (!whole) return std::nullopt;
  DerReader inner(whole->content);
  const auto type = inner.read(kObjectIdentifierTag, "an attribute's type was expected");
  if (type && !is_object_identifier(type->content)) inner.fail_at("a malformed OBJECT IDENTIFIER");
  const DerReader before_value = inner;
  const auto value = inner.read_any();
  if (value && !is_well_formed(*value)) {
    inner = before_value;
    inner.fail_at("a text that is not encoded as it claims");
  }
  if (value && inner.expect_end("data behind an attribute's value")) {
    return Attribute{type->content, *value};
  }
  set.adopt(inner);
  return std::nullopt;
}

bool is_foldable(const DerElement& value) noexcept {
  return value.tag == kPrintableStringTag || value.tag == kUtf8StringTag ||
         value.tag == kIa5StringTag;
}

// Gives the octets of a text one by one: lower case, white space at the ends left out, each run of
// it within as one space.
class FoldedText {
 public:
  explicit FoldedText(ByteView text) noexcept : rest_(text) {
    skip_space();
    while (!rest_.empty() && rest_.back() == ' ') rest_ = rest_.first(rest_.size() - 1);
  }

  // nullopt at the end.
  std::optional<std::uint8_t> next() noexcept {
    if (rest_.empty()) return std::nullopt;
    const std::uint8_t octet = rest_.front();
    rest_ = rest_.subspan(1);
    if (octet == ' ') skip_space();
    const bool upper = octet >= 'A' && octet <= 'Z';
    return upper ? static_cast<std::uint8_t>(octet - 'A' + 'a') : octet;
  }

 private:
  void skip_space() noexcept {
    while (!rest_.empty() && rest_.front() == ' ') rest_ = rest_.subspan(1);
  }

  ByteView rest_;
};

bool texts_match(ByteView left, ByteView right) noexcept {
  FoldedText a(left);
  FoldedText b(right);
  while (true) {
    const auto x = a.next();
    if (x != b.next()) return false;
    if (!x) return true;
  }
}

bool attributes_match(const Attribute& left, const Attribute& right) noexcept {
  if (!equal(left.type, right.type)) return false;
  if (equal(left.value.whole, right.value.whole)) return true;
  return is_foldable(left.value) && is_foldable(right.value) &&
         texts_match(left.value.content, right.value.content);
}

bool sets_match(ByteView left, ByteView right) noexcept {
  DerReader a(left);
  DerReader b(right);
  while (!a.at_end() && !b.at_end()) {
    const auto x = read_attribute(a);
    const auto y = read_attribute(b);
    if (!x || !y || !attributes_match(*x, *y)) return false;
  }
  return a.at_end() && b.at_end();
}

using X509NamePtr = std::unique_ptr<X509_NAME, FreeWith<X509_NAME_free>>;

// Empty when OpenSSL cannot print it.
std::string printed(const X509_NAME* name, unsigned long flags) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (out == nullptr || X509_NAME_print_ex(out.get(), name, 0, flags) < 0) return {};
  char* text = nullptr;
  const long length = BIO_get_mem_data(out.get(), &text);
  return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string();
}

}  // namespace

std::optional<ByteView> read_name(DerReader& reader) noexcept {
  const auto whole = reader.read(kSequenceTag, "a Name was expected");
  if (!whole) return std::nullopt;
  DerReader sets(whole->content);
  while (sets.ok() && !sets.at_end()) {
    const auto set = sets.read(kSetTag, "a RelativeDistinguishedName was expected");
    if (!set) break;
    DerReader attributes(set->content);
    if (attributes.at_end()) attributes.fail_at("an empty RelativeDistinguishedName");
    while (attributes.ok() && !attributes.at_end()) read_attribute(attributes);
    if (!attributes.ok()) sets.adopt(attributes);
  }
  if (sets.ok()) return whole->whole;
  reader.adopt(sets);
  return std::nullopt;
}

bool names_match(ByteView left, ByteView right) noexcept {
  if (equal(left, right)) return true;
  DerReader left_reader(left);
  DerReader right_reader(right);
  if (!read_name(left_reader) || !left_reader.at_end()) return false;
  if (!read_name(right_reader) || !right_reader.at_end()) return false;
  DerReader a(DerReader(left).read_any()->content);
  DerReader b(DerReader(right).read_any()->content);
  while (!a.at_end() && !b.at_end()) {
    const auto x = a.read_any();
    const auto y = b.read_any();
    if (!x || !y || !sets_match(x->content, y->content)) return false;
  }
  return a.at_end() && b.at_end();
}

std::string name_text(ByteView name) {
  constexpr unsigned long kEscapeHighOctets = ASN1_STRFLGS_ESC_MSB;
  constexpr unsigned long kOrderOfCertificate =
      XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN | XN_FLAG_DUMP_UNKNOWN_FIELDS | ASN1_STRFLGS_RFC2253;
  const auto* at = name.data();
  const X509NamePtr parsed(d2i_X509_NAME(nullptr, &at, static_cast<long>(name.size())));
  ERR_clear_error();
  if (parsed == nullptr || at != name.data() + name.size()) return "#" + hex(name);
  if (X509_NAME_entry_count(parsed.get()) == 0) return {};
  // RFC 4514 2.4 keeps UTF-8 as it is, control characters above ASCII too: those get their octets
  // escaped one by one.
  std::string text = printed(parsed.get(), kOrderOfCertificate & ~kEscapeHighOctets);
  if (!text.empty() && is_printable_utf8(as_bytes(text))) return text;
  text = printed(parsed.get(), kOrderOfCertificate);
  ERR_clear_error();
  return !text.empty() && is_printable_utf8(as_bytes(text)) ? text : "#" + hex(name);
}

}  // namespace revcache::pki
