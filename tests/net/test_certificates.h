// Certificates and keys made on the spot, as PEM files in a directory that goes with the test.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <filesystem>
#include <memory>
#include <string>

namespace revcache::net {

struct FreeOpensslObject {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

struct TestCertificate {
  std::unique_ptr<X509, FreeOpensslObject> certificate;
  std::unique_ptr<EVP_PKEY, FreeOpensslObject> key;

  [[nodiscard]] std::string certificate_pem() const;
  [[nodiscard]] std::string key_pem(const std::string& passphrase = "") const;
};

struct TestCertificateSpec {
  std::string common_name = {};
  std::string alternative_names = {};       // OpenSSL's spelling: "DNS:a.example,IP:127.0.0.1"
  const TestCertificate* issuer = nullptr;  // null: self-signed
  bool is_ca = false;
  long valid_from_s = -3600;  // relative to now
  long valid_until_s = 3600;
};

TestCertificate make_certificate(const TestCertificateSpec& spec);

class TestDirectory {
 public:
  TestDirectory();
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  ~TestDirectory();

  // The path of a new file with this content.
  [[nodiscard]] std::string file(const std::string& name, const std::string& content) const;
  [[nodiscard]] std::string path(const std::string& name) const { return (directory_ / name); }

 private:
  std::filesystem::path directory_;
};

}  // namespace revcache::net
