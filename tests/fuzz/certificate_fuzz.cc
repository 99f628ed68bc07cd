// Any octets as certificates, alone and in files: never crashes; what is read lies inside the
// input, is text that can be shown, and is a certificate to OpenSSL as well.
#include <openssl/err.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "pki/cert_id.h"
#include "pki/certificate.h"
#include "pki/certificate_fields.h"
#include "pki/openssl_ptr.h"
#include "pki/pkcs7.h"

namespace {

using namespace revcache;
using namespace revcache::pki;

using NamePtr = std::unique_ptr<X509_NAME, FreeWith<X509_NAME_free>>;
using AlgorithmPtr = std::unique_ptr<X509_ALGOR, FreeWith<X509_ALGOR_free>>;
using PublicKeyPtr = std::unique_ptr<X509_PUBKEY, FreeWith<X509_PUBKEY_free>>;

void check_inside(ByteView inner, ByteView outer) {
  if (inner.empty()) return;
  CHECK(inner.data() >= outer.data());
  CHECK(inner.data() + inner.size() <= outer.data() + outer.size());
}

void check_texts(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) CHECK(is_printable_utf8(as_bytes(text)));
}

void check_points(const std::vector<DistributionPoint>& points) {
  CHECK(points.size() <= kCertificateUrlsMax);
  for (const DistributionPoint& point : points) {
    CHECK(point.urls.size() <= kCertificateUrlsMax);
    check_texts(point.urls);
  }
}

template <class Pointer, auto Read>
bool openssl_reads(ByteView bytes) {
  const auto* at = bytes.data();
  const Pointer read(Read(nullptr, &at, static_cast<long>(bytes.size())));
  ERR_clear_error();
  return read != nullptr && at == bytes.data() + bytes.size();
}

// What ANY holds we do not look into, as long as it is one element: OpenSSL does, and refuses an
// attribute of a name, or parameters of an algorithm, that are no proper value of their type.
bool has_odd_parts(const Certificate& certificate) {
  return !openssl_reads<NamePtr, d2i_X509_NAME>(certificate.issuer) ||
         !openssl_reads<NamePtr, d2i_X509_NAME>(certificate.subject) ||
         !openssl_reads<AlgorithmPtr, d2i_X509_ALGOR>(certificate.tbs_algorithm) ||
         !openssl_reads<AlgorithmPtr, d2i_X509_ALGOR>(certificate.signature_algorithm) ||
         !openssl_reads<PublicKeyPtr, d2i_X509_PUBKEY>(certificate.spki);
}

void check_certificate(const Certificate& certificate, ByteView bytes) {
  for (const ByteView view :
       {certificate.tbs, certificate.tbs_algorithm, certificate.signature_algorithm,
        certificate.issuer, certificate.subject, certificate.spki, certificate.serial}) {
    CHECK(!view.empty());
    check_inside(view, certificate.der.bytes());
  }
  for (const ByteView view : {certificate.signature, certificate.public_key,
                              certificate.subject_key_id, certificate.authority_key_id}) {
    check_inside(view, certificate.der.bytes());
  }
  CHECK(certificate.version >= 1 && certificate.version <= 3);
  CHECK(certificate.serial.size() <= kSerialBytesMax);
  check_points(certificate.crl_distribution_points);
  check_points(certificate.freshest_crl);
  check_texts(certificate.ocsp_urls);
  check_texts(certificate.ca_issuer_urls);
  check_texts(certificate.dns_names);
  check_texts(certificate.email_addresses);
  check_texts(certificate.user_principal_names);
  check_texts(certificate.unknown_critical_extensions);
  check_texts({name_text(certificate.issuer), name_text(certificate.subject)});
  CHECK(names_match(certificate.subject, certificate.subject));
  CHECK(names_match(certificate.subject, certificate.issuer) ==
        names_match(certificate.issuer, certificate.subject));
  if (certificate.is_self_issued()) CHECK(names_match(certificate.subject, certificate.issuer));
  static_cast<void>(verify_issued_by(certificate, certificate, {.allow_sha1 = true}));
  if (!has_odd_parts(certificate)) CHECK((openssl_reads<X509Ptr, d2i_X509>(bytes)));
}

void check_pkcs7(ByteView bytes) {
  const auto found = pkcs7_certificates(bytes);
  if (!found) return;
  CHECK(is_pkcs7(bytes));
  for (const ByteView certificate : *found) check_inside(certificate, bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  const auto single = parse_certificate(SharedBytes::copy_of(as_text(bytes)));
  if (single) {
    check_certificate(**single, bytes);
  } else {
    CHECK(single.error().reason == Refusal::malformed && !single.error().detail.empty());
  }
  const auto several = parse_certificates(as_text(bytes));
  if (single) CHECK(several && several->size() == 1);
  if (several) {
    CHECK(!several->empty());
    for (const auto& one : *several) check_certificate(*one, one->der.bytes());
  }
  check_pkcs7(bytes);
  return 0;
}
