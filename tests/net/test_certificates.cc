#include "test_certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "base/check.h"

namespace revcache::net {

namespace {

std::string content_of(BIO* bio) {
  const std::size_t size = BIO_ctrl_pending(bio);
  std::string text(size, '\0');
  std::size_t taken = 0;
  CHECK(BIO_read_ex(bio, text.data(), size, &taken) == 1 && taken == size);
  BIO_free(bio);
  return text;
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  CHECK(extension != nullptr);
  CHECK(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

}  // namespace

std::string TestCertificate::certificate_pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  CHECK(PEM_write_bio_X509(bio, certificate.get()) == 1);
  return content_of(bio);
}

std::string TestCertificate::key_pem(const std::string& passphrase) const {
  BIO* bio = BIO_new(BIO_s_mem());
  std::vector<unsigned char> secret(passphrase.begin(), passphrase.end());
  CHECK(PEM_write_bio_PrivateKey(bio, key.get(), secret.empty() ? nullptr : EVP_aes_128_cbc(),
                                 secret.data(), static_cast<int>(secret.size()), nullptr,
                                 nullptr) == 1);
  return content_of(bio);
}

TestCertificate make_certificate(const TestCertificateSpec& spec) {
  static long next_serial = 1;
  TestCertificate made{std::unique_ptr<X509, FreeOpensslObject>(X509_new()),
                       std::unique_ptr<EVP_PKEY, FreeOpensslObject>(
                           EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"))};
  X509* certificate = made.certificate.get();
  CHECK(certificate != nullptr && made.key != nullptr);
  X509* issuer = spec.issuer != nullptr ? spec.issuer->certificate.get() : certificate;
  EVP_PKEY* signer = spec.issuer != nullptr ? spec.issuer->key.get() : made.key.get();

  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), next_serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), spec.valid_from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), spec.valid_until_s);
  const std::vector<unsigned char> name(spec.common_name.begin(), spec.common_name.end());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, name.data(),
                             static_cast<int>(name.size()), -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  X509_set_pubkey(certificate, made.key.get());
  add_extension(certificate, issuer, NID_basic_constraints,
                spec.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!spec.alternative_names.empty()) {
    add_extension(certificate, issuer, NID_subject_alt_name, spec.alternative_names);
  }
  CHECK(X509_sign(certificate, signer, EVP_sha256()) > 0);
  return made;
}

TestDirectory::TestDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "revcache-net-XXXXXX").string();
  CHECK(mkdtemp(pattern.data()) != nullptr);
  directory_ = pattern;
}

TestDirectory::~TestDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string TestDirectory::file(const std::string& name, const std::string& content) const {
  std::ofstream(directory_ / name, std::ios::binary) << content;
  return directory_ / name;
}

}  // namespace revcache::net
