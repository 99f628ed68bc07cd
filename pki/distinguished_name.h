// Distinguished names (RFC 5280 section 4.1.2.4): told apart and written down. Pure.
//
//   Name ::= SEQUENCE OF RelativeDistinguishedName
//   RelativeDistinguishedName ::= SET SIZE (1..MAX) OF SEQUENCE { type OBJECT IDENTIFIER, value ANY
//   }
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "pki/der.h"

namespace revcache::pki {

// The next element of `reader`, which must be a whole Name; an empty one too. Else it fails there.
std::optional<ByteView> read_name(DerReader& reader) noexcept;

// RFC 5280 7.1 as far as deployed CAs need it: equal octets, or equal after folding case and white
// space of PrintableString, UTF8String and IA5String (ASCII only), whichever of them either side
// chose. The attributes of a multi-valued RDN must be in the same order.
bool names_match(ByteView left, ByteView right) noexcept;

// "CN=Contoso Root, O=Contoso" in the order of the certificate, escaped by RFC 4514. Always
// well-formed UTF-8 without control characters; what is no Name gives "#" and its octets in hex.
std::string name_text(ByteView name);

}  // namespace revcache::pki
