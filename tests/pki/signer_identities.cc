#include "tests/pki/signer_identities.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <atomic>
#include <utility>

#include "base/check.h"
#include "pki/openssl_ptr.h"

namespace revcache::pki {
namespace {

EvpPkeyPtr new_key(std::string_view kind) {
  if (kind == "ED25519") return EvpPkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (kind == "RSA-1024") return EvpPkeyPtr(EVP_RSA_gen(1024));
  if (kind == "RSA-2048") return EvpPkeyPtr(EVP_RSA_gen(2048));
  return EvpPkeyPtr(EVP_EC_gen(std::string(kind).c_str()));
}

std::string text_of(BIO* bio) {
  char* text = nullptr;
  const long length = BIO_ctrl(bio, BIO_CTRL_INFO, 0, static_cast<void*>(&text));
  CHECK(length > 0);
  return {text, static_cast<std::size_t>(length)};
}

EvpPkeyPtr key_of(const Identity& identity) {
  const BioPtr bio(
      BIO_new_mem_buf(identity.key_pem.data(), static_cast<int>(identity.key_pem.size())));
  return EvpPkeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

X509Ptr x509_of(const Identity& identity) {
  const BioPtr bio(BIO_new_mem_buf(identity.certificate_pem.data(),
                                   static_cast<int>(identity.certificate_pem.size())));
  return X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context{};
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  CHECK(extension != nullptr);
  CHECK(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

void fill(X509* certificate, const IdentityWanted& wanted) {
  static std::atomic<long> next_serial{1000};
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), next_serial++);
  ASN1_TIME_set(X509_getm_notBefore(certificate), wanted.not_before.time_since_epoch().count());
  ASN1_TIME_set(X509_getm_notAfter(certificate), wanted.not_after.time_since_epoch().count());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wanted.name.c_str()), -1, -1,
                             0);
  if (wanted.issuer == nullptr) {
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  } else {
    X509_set_issuer_name(certificate, X509_get_subject_name(x509_of(*wanted.issuer).get()));
  }
}

}  // namespace

Identity make_identity(const IdentityWanted& wanted) {
  const EvpPkeyPtr key = new_key(wanted.key);
  CHECK(key != nullptr);
  const X509Ptr certificate(X509_new());
  fill(certificate.get(), wanted);
  X509_set_pubkey(certificate.get(), key.get());
  add_extension(certificate.get(), NID_basic_constraints,
                wanted.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  add_extension(certificate.get(), NID_subject_key_identifier, "hash");
  add_extension(certificate.get(), NID_ext_key_usage, wanted.extended_key_usage);
  add_extension(certificate.get(), NID_key_usage, wanted.key_usage);
  if (wanted.nocheck) add_extension(certificate.get(), NID_id_pkix_OCSP_noCheck, "ignored");
  const EvpPkeyPtr issuer_key = wanted.issuer != nullptr ? key_of(*wanted.issuer) : nullptr;
  EVP_PKEY* signing = issuer_key != nullptr ? issuer_key.get() : key.get();
  const bool has_digest = EVP_PKEY_get_base_id(signing) != EVP_PKEY_ED25519;
  CHECK(X509_sign(certificate.get(), signing, has_digest ? EVP_sha256() : nullptr) > 0);

  Identity made;
  const BioPtr key_bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_PKCS8PrivateKey(key_bio.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) == 1);
  made.key_pem = text_of(key_bio.get());
  const BioPtr certificate_bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_X509(certificate_bio.get(), certificate.get()) == 1);
  made.certificate_pem = text_of(certificate_bio.get());
  const auto parsed = parse_certificates(made.certificate_pem);
  CHECK(parsed.has_value() && parsed->size() == 1);
  made.certificate = parsed->front();
  return made;
}

Identity make_authority(std::string name, std::string_view key) {
  return make_identity({.name = std::move(name),
                        .key = key,
                        .extended_key_usage = {},
                        .key_usage = "critical,keyCertSign,cRLSign,digitalSignature",
                        .is_ca = true});
}

Identity make_ocsp_signer(const Identity* issuer, std::string_view key) {
  return make_identity({.name = "OCSP signer",
                        .issuer = issuer,
                        .key = key,
                        .extended_key_usage = "OCSPSigning",
                        .key_usage = "critical,digitalSignature",
                        .nocheck = true});
}

SignerPtr signer_of(const Identity& identity) {
  const auto key = SignerKey::parse(identity.key_pem);
  CHECK(key.has_value());
  const auto signer = Signer::make({identity.certificate}, *key);
  CHECK(signer.has_value());
  return *signer;
}

}  // namespace revcache::pki
