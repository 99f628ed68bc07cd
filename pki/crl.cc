#include "pki/crl.h"

#include <algorithm>
#include <utility>

#include "pki/asn1_time.h"
#include "pki/certificate_fields.h"
#include "pki/crl_entry.h"
#include "pki/crl_extensions.h"
#include "pki/der.h"
#include "pki/distinguished_name.h"

namespace revcache::pki {
namespace {

// Version ::= INTEGER { v1(0), v2(1) } OPTIONAL
bool read_version(DerReader& reader, int& version) noexcept {
  if (!reader.next_is(kIntegerTag)) return true;
  const DerReader start = reader;
  const auto content = reader.read_integer("a version was expected");
  if (!content) return false;
  // 5.1.2.1: v1 is not written out. Versions that nobody has defined are for verify_crl() to
  // refuse.
  if (content->size() == 1 && content->front() >= 1 && content->front() < 0x80) {
    version = content->front() + 1;
    return true;
  }
  reader = start;
  return reader.fail_at("a version that does not exist");
}

bool read_dates(DerReader& reader, ParsedCrl& crl) noexcept {
  const auto this_update = read_time(reader, "thisUpdate was expected");
  if (!this_update) return false;
  crl.this_update = *this_update;
  if (!reader.next_is(kUtcTimeTag) && !reader.next_is(kGeneralizedTimeTag)) return true;
  crl.next_update = read_time(reader, "nextUpdate was expected");
  return crl.next_update.has_value();
}

// revokedCertificates. An empty list, which 5.1.2.6 forbids, is accepted: nobody can misread it.
bool read_revoked(DerReader& reader, ParsedCrl& crl, std::uint64_t hash_seed) {
  CrlIndexBuilder builder(crl.der.bytes(), hash_seed);
  ByteView content;
  if (const auto list = reader.read_optional(kSequenceTag)) content = list->content;
  CrlEntryRemarks remarks;
  if (!reader.ok() || !read_entries(reader, content, builder, remarks)) return false;
  crl.has_extensions = remarks.has_extensions;
  crl.has_certificate_issuer_entries = remarks.has_certificate_issuer;
  crl.unknown_critical_extensions = std::move(remarks.unknown_critical_extensions);
  crl.entries = builder.entries();
  crl.index = builder.build(content);
  return true;
}

bool read_tbs(DerReader& reader, ParsedCrl& crl, std::uint64_t hash_seed) {
  const auto whole = reader.read(kSequenceTag, "a TBSCertList was expected");
  if (!whole) return false;
  crl.tbs = whole->whole;
  DerReader tbs(whole->content);
  bool read = read_version(tbs, crl.version) && read_algorithm_identifier(tbs, crl.tbs_algorithm);
  if (read) {
    const auto issuer = read_name(tbs);
    crl.issuer = issuer.value_or(ByteView{});
    read = issuer.has_value();
  }
  read = read && read_dates(tbs, crl) && read_revoked(tbs, crl, hash_seed);
  if (read && tbs.next_is(context_constructed(0))) {
    const auto tagged = tbs.read_any();
    if (!tagged) return reader.adopt(tbs);
    DerReader extensions(tagged->content);
    if (!read_crl_extensions(extensions, crl) || !extensions.expect_end("data behind Extensions")) {
      return reader.adopt(extensions);
    }
  }
  return (read && tbs.expect_end("data behind a TBSCertList")) || reader.adopt(tbs);
}

bool read_crl(DerReader& reader, ParsedCrl& crl, std::uint64_t hash_seed) {
  const auto whole = reader.read(kSequenceTag, "a CertificateList was expected");
  if (!whole || !reader.expect_end("data behind the CertificateList")) return false;
  DerReader inner(whole->content);
  return (read_tbs(inner, crl, hash_seed) &&
          read_algorithm_identifier(inner, crl.signature_algorithm) &&
          read_bit_string(inner, crl.signature, "a signature was expected") &&
          inner.expect_end("data behind the signature")) ||
         reader.adopt(inner);
}

}  // namespace

Checked<ParsedCrlPtr> parse_crl(SharedBytes der, std::uint64_t hash_seed) {
  if (der.size() >= kCrlBytesMax) return refuse(Refusal::malformed, "a CRL of 4 GiB or more");
  auto crl = std::make_shared<ParsedCrl>();
  crl->der = std::move(der);
  DerReader reader(crl->der.bytes());
  if (read_crl(reader, *crl, hash_seed)) return crl;
  return refuse(Refusal::malformed, "CRL: " + describe_fault(reader, crl->der.bytes()));
}

std::size_t ParsedCrl::index_bytes() const noexcept { return index->bytes(); }

}  // namespace revcache::pki
