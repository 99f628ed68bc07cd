// What certificates, CRLs and OCSP responses are made of alike (RFC 5280 section 4.1 and 4.2).
// Pure; views into the bytes that are read. On a fault the reader says what and where
// (DerReader::fault).
//
//   AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }
//   Extension   ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE,
//                   extnValue OCTET STRING }
//   GeneralName ::= CHOICE { otherName [0], rfc822Name [1], dNSName [2], x400Address [3],
//                   directoryName [4], ediPartyName [5], uniformResourceIdentifier [6],
//                   iPAddress [7], registeredID [8] }
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "pki/der.h"

namespace revcache::pki {

// The whole AlgorithmIdentifier.
bool read_algorithm_identifier(DerReader& reader, ByteView& whole) noexcept;

// Octets of a BIT STRING that has no unused bits.
bool read_bit_string(DerReader& reader, ByteView& octets, std::string_view what) noexcept;

struct Extension {
  ByteView oid;  // content of the OBJECT IDENTIFIER
  bool critical = false;
  ByteView value;  // content of the OCTET STRING
};

// One Extension. `critical` may be written out although it is FALSE: DER forbids it, deployed CAs
// do it, and nobody can misread it.
std::optional<Extension> read_extension(DerReader& extensions) noexcept;

// Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension: at most kExtensionsMax, none twice (4.2).
std::optional<std::vector<Extension>> read_extensions(DerReader& reader);

enum class GeneralNameKind : std::uint8_t {
  other_name = 0,
  rfc822_name = 1,
  dns_name = 2,
  x400_address = 3,
  directory_name = 4,
  edi_party_name = 5,
  uri = 6,
  ip_address = 7,
  registered_id = 8,
};

struct GeneralName {
  GeneralNameKind kind = GeneralNameKind::other_name;
  ByteView content;  // behind the context tag
};

// An rfc822Name, dNSName or URI is visible ASCII: an IA5String could hold control characters, and
// a NUL in a name has fooled many.
std::optional<GeneralName> read_general_name(DerReader& names) noexcept;

// Well-formed UTF-8 (RFC 3629) without control characters.
bool is_printable_utf8(ByteView bytes) noexcept;

// id-ce, 2.5.29.n.
bool is_id_ce(ByteView oid, std::uint8_t number) noexcept;

}  // namespace revcache::pki
