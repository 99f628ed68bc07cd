#include "pki/pkcs7.h"

#include <array>

#include "pki/der.h"

namespace revcache::pki {
namespace {

// 1.2.840.113549.1.7.2
constexpr std::array<std::uint8_t, 9> kSignedData{0x2a, 0x86, 0x48, 0x86, 0xf7,
                                                  0x0d, 0x01, 0x07, 0x02};

// SignedData, read to its end.
bool read_signed_data(DerReader& reader, std::vector<ByteView>& certificates) {
  const auto whole = reader.read(kSequenceTag, "a SignedData was expected");
  if (!whole || !reader.expect_end("data behind the SignedData")) return false;
  DerReader inner(whole->content);
  inner.read_integer("a version was expected");
  inner.read(kSetTag, "the digest algorithms were expected");
  inner.read(kSequenceTag, "a ContentInfo was expected");
  const auto list = inner.ok() ? inner.read_optional(context_constructed(0)) : std::nullopt;
  if (inner.ok()) inner.read_optional(context_constructed(1));
  inner.read(kSetTag, "the signers were expected");
  if (!inner.expect_end("data behind the signers")) return reader.adopt(inner);
  DerReader elements(list ? list->content : ByteView{});
  while (elements.ok() && !elements.at_end()) {
    const auto element = elements.read_any();
    if (element && element->tag == kSequenceTag) certificates.push_back(element->whole);
  }
  return elements.ok() || reader.adopt(elements);
}

bool read_content_info(DerReader& reader, std::vector<ByteView>& certificates) {
  const auto whole = reader.read(kSequenceTag, "a ContentInfo was expected");
  if (!whole || !reader.expect_end("data behind the ContentInfo")) return false;
  DerReader inner(whole->content);
  const auto type = inner.read(kObjectIdentifierTag, "a content type was expected");
  if (type && !equal(type->content, kSignedData)) inner.fail_at("a PKCS#7 that is no SignedData");
  const auto wrapper = inner.read(context_constructed(0), "the content was expected");
  if (!wrapper || !inner.expect_end("data behind the content")) return reader.adopt(inner);
  DerReader content(wrapper->content);
  return read_signed_data(content, certificates) || reader.adopt(content);
}

}  // namespace

bool is_pkcs7(ByteView der) noexcept {
  DerReader reader(der);
  const auto whole = reader.read(kSequenceTag, "a ContentInfo was expected");
  return whole && DerReader(whole->content).next_is(kObjectIdentifierTag);
}

Checked<std::vector<ByteView>> pkcs7_certificates(ByteView der) {
  DerReader reader(der);
  std::vector<ByteView> certificates;
  if (read_content_info(reader, certificates)) return certificates;
  return refuse(Refusal::malformed, describe_fault(reader, der));
}

}  // namespace revcache::pki
