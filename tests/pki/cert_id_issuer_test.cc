// CertIDs of an issuer (RFC 6960 4.1.1) and requests with nothing else (RFC 5019 2.1.1).
#include <gtest/gtest.h>
#include <openssl/ocsp.h>

#include <array>
#include <string>

#include "pki/ocsp_request.h"
#include "pki/ocsp_response.h"
#include "pki/openssl_ptr.h"
#include "tests/pki/test_files.h"

namespace revcache::pki {
namespace {

CertificatePtr certificate(const char* name) {
  const std::string file = std::string("certificate/") + name + ".der";
  return *parse_certificate(SharedBytes::take(test_file(file)));
}

X509Ptr openssl_certificate(const Certificate& ours) {
  const auto* at = ours.der.bytes().data();
  return X509Ptr(d2i_X509(nullptr, &at, static_cast<long>(ours.der.size())));
}

const std::pair<CertIdHash, const EVP_MD* (*)()> kHashes[] = {{CertIdHash::sha1, EVP_sha1},
                                                              {CertIdHash::sha256, EVP_sha256},
                                                              {CertIdHash::sha384, EVP_sha384},
                                                              {CertIdHash::sha512, EVP_sha512}};
const char* const kSubjects[] = {"good_user", "good_serial_negative", "good_serial_leading_zero"};

TEST(CertIdOfIssuer, IsWhatOpensslWrites) {
  const auto issuer = certificate("good_root");
  for (const auto& [hash, digest] : kHashes) {
    for (const char* name : kSubjects) {
      const auto subject = certificate(name);
      OCSP_REQUEST* request = OCSP_REQUEST_new();
      OCSP_request_add0_id(request, OCSP_cert_to_id(digest(), openssl_certificate(*subject).get(),
                                                    openssl_certificate(*issuer).get()));
      unsigned char* bytes = nullptr;
      const int size = i2d_OCSP_REQUEST(request, &bytes);
      const std::string theirs = hex({bytes, static_cast<std::size_t>(size)});
      OPENSSL_free(bytes);
      OCSP_REQUEST_free(request);
      const std::string ours = encode_ocsp_request(encode_cert_id(hash, *issuer, subject->serial));
      EXPECT_EQ(hex(as_bytes(ours)), theirs) << name;
    }
  }
}

TEST(CertIdOfIssuer, IsReadBackAndNamesItsIssuerOnly) {
  const auto issuer = certificate("good_root");
  const auto other = certificate("good_root_same_name");
  for (const auto& [hash, digest] : kHashes) {
    const auto subject = certificate("good_user");
    const std::string request = encode_ocsp_request(encode_cert_id(hash, *issuer, subject->serial));
    const auto read = parse_ocsp_request(as_bytes(request));
    ASSERT_TRUE(read) << read.error().detail;
    ASSERT_EQ(read->requests.size(), 1U);
    const CertId& id = read->requests[0];
    EXPECT_EQ(id.hash, hash);
    EXPECT_EQ(hex(id.serial), hex(subject->serial));
    EXPECT_TRUE(cert_id_names_issuer(id, *issuer));
    EXPECT_FALSE(cert_id_names_issuer(id, *other));  // the name is the same, the key is not
    EXPECT_FALSE(cert_id_names_issuer(id, *certificate("good_root_rsa")));
  }
}

TEST(CertIdOfIssuer, UnderAHashThatIsNotKnownNamesNobody) {
  const auto issuer = certificate("good_root");
  const std::string der = encode_cert_id(CertIdHash::sha1, *issuer, issuer->serial);
  auto id = *parse_cert_id(as_bytes(der));
  EXPECT_TRUE(cert_id_names_issuer(id, *issuer));
  id.hash = CertIdHash::other;
  EXPECT_FALSE(cert_id_names_issuer(id, *issuer));
}

}  // namespace
}  // namespace revcache::pki
