// Writes DER (X.690 section 10) front to back into one growing buffer. For what this module makes
// itself: OCSP responses, certificates, certification requests. Pure; one thread.
//
//   DerWriter writer;
//   writer.constructed(kSequenceTag, [&] { writer.primitive(kOctetStringTag, bytes); });
//
// Lengths are in their shortest form. The caller answers for the rest of DER: minimal INTEGERs, the
// order of a SET, defaults left out.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "pki/der.h"

namespace revcache::pki {

class DerWriter {
 public:
  explicit DerWriter(std::size_t bytes_expected = 256) { out_.reserve(bytes_expected); }

  void primitive(Tag tag, ByteView content);
  void boolean(bool value);
  void null() { primitive(kNullTag, {}); }
  // `content`: octets of an unsigned number, at least one; leading zeros are dropped, and one is
  // put in front where the number would otherwise be read as negative.
  void unsigned_integer(ByteView content);
  // Octets, no unused bits.
  void bit_string(ByteView content);
  // A complete element, or several, as they are.
  void raw(ByteView elements) { out_ += as_text(elements); }

  // `body` writes the content into this writer.
  template <class Body>
  void constructed(Tag tag, const Body& body) {
    const std::size_t content_at = open(tag);
    body();
    close(content_at);
  }
  // An OCTET STRING that holds the DER that `body` writes.
  template <class Body>
  void octet_string_of(const Body& body) {
    constructed(kOctetStringTag, body);
  }

  [[nodiscard]] ByteView bytes() const noexcept { return as_bytes(out_); }
  [[nodiscard]] std::string take() && { return std::move(out_); }

 private:
  // Leaves room for a length of one octet; close() makes more where the content turned out longer.
  std::size_t open(Tag tag);
  void close(std::size_t content_at);

  std::string out_;
};

}  // namespace revcache::pki
