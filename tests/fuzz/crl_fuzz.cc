// Any octets as a CRL: never crashes; what is read lies inside the input and is found again;
// reading twice reads the same; and where OpenSSL reads it too, both count the same entries.
#include <openssl/err.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "pki/crl.h"
#include "pki/crl_entry.h"
#include "pki/openssl_ptr.h"

namespace {

using namespace revcache;
using namespace revcache::pki;

void check_inside(ByteView inner, ByteView outer) {
  if (inner.empty()) return;
  CHECK(inner.data() >= outer.data());
  CHECK(inner.data() + inner.size() <= outer.data() + outer.size());
}

void check_views(const ParsedCrl& crl) {
  const ByteView der = crl.der.bytes();
  for (const ByteView view :
       {crl.tbs, crl.tbs_algorithm, crl.signature_algorithm, crl.signature, crl.issuer, crl.number,
        crl.base_number, crl.authority_key_id, crl.scope.extension}) {
    check_inside(view, der);
  }
}

void check_entries(const ParsedCrl& crl) {
  std::size_t entries = 0;
  crl.for_each([&](const RevokedEntry& listed) {
    ++entries;
    check_inside(listed.serial, crl.der.bytes());
    const auto found = crl.find(listed.serial);
    CHECK(found.has_value());
    CHECK(equal(significant_octets(found->serial), significant_octets(listed.serial)));
    const bool is_lift = found->reason == CrlReason::remove_from_crl;
    CHECK(!is_lift || listed.reason == CrlReason::remove_from_crl);
  });
  CHECK(entries == crl.entries);
  CHECK(!crl.find({}) || crl.entries > 0);
}

void check_again(const ParsedCrl& crl) {
  const auto again = parse_crl(crl.der, ~std::uint64_t{0});
  CHECK(again.has_value());
  CHECK((*again)->entries == crl.entries && (*again)->this_update == crl.this_update);
  CHECK((*again)->unknown_critical_extensions == crl.unknown_critical_extensions);
  crl.for_each([&](const RevokedEntry& listed) {
    const auto first = crl.find(listed.serial);
    const auto second = (*again)->find(listed.serial);
    CHECK(second.has_value() && second->serial.data() == first->serial.data());
    CHECK(second->reason == first->reason && second->revoked_at == first->revoked_at);
  });
}

void check_against_openssl(const ParsedCrl& crl) {
  const ByteView der = crl.der.bytes();
  const std::uint8_t* at = der.data();
  const X509CrlPtr theirs(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (theirs == nullptr) return;
  const STACK_OF(X509_REVOKED)* list = X509_CRL_get_REVOKED(theirs.get());
  const int entries = list == nullptr ? 0 : sk_X509_REVOKED_num(list);
  CHECK(static_cast<std::size_t>(entries) == crl.entries);
}

// One entry of any shape: both ways to read it agree.
void check_entry(ByteView bytes) {
  RevokedEntry common;
  const std::size_t size = read_common_entry(bytes, common);
  if (size == 0) return;
  DerReader reader(bytes);
  CrlEntryRemarks remarks;
  const auto general = read_entry(reader, remarks);
  CHECK(general.has_value() && reader.position() == bytes.data() + size);
  CHECK(general->serial.data() == common.serial.data() && equal(general->serial, common.serial));
  CHECK(general->revoked_at == common.revoked_at && general->reason == common.reason);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_entry(bytes);
  const auto der = crl_der(SharedBytes::copy_of(as_text(bytes)));
  if (!der) return 0;
  const auto crl = parse_crl(*der, 1);
  if (!crl) return 0;
  check_views(**crl);
  check_entries(**crl);
  check_again(**crl);
  check_against_openssl(**crl);
  return 0;
}
