// Any octets as OCSP responses: never crashes; what is read lies inside the input and is a response
// to OpenSSL as well; what is verified is never an error.
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "pki/ocsp_response.h"
#include "pki/openssl_ptr.h"

namespace {

using namespace revcache;
using namespace revcache::pki;

using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, FreeWith<OCSP_RESPONSE_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, FreeWith<OCSP_BASICRESP_free>>;
using CertIdPtr = std::unique_ptr<OCSP_CERTID, FreeWith<OCSP_CERTID_free>>;
using NamePtr = std::unique_ptr<X509_NAME, FreeWith<X509_NAME_free>>;
using AlgorithmPtr = std::unique_ptr<X509_ALGOR, FreeWith<X509_ALGOR_free>>;

void check_inside(ByteView inner, ByteView outer) {
  if (inner.empty()) return;
  CHECK(inner.data() >= outer.data());
  CHECK(inner.data() + inner.size() <= outer.data() + outer.size());
}

template <class Pointer, auto Read>
bool openssl_reads(ByteView bytes) {
  const auto* at = bytes.data();
  const Pointer read(Read(nullptr, &at, static_cast<long>(bytes.size())));
  ERR_clear_error();
  return read != nullptr && at == bytes.data() + bytes.size();
}

// What ANY holds we do not look into, as long as it is one element: OpenSSL does.
bool has_odd_parts(const ParsedOcspResponse& response) {
  if (!response.responder_name.empty() &&
      !openssl_reads<NamePtr, d2i_X509_NAME>(response.responder_name)) {
    return true;
  }
  for (const auto& certificate : response.certificates) {
    if (!openssl_reads<X509Ptr, d2i_X509>(certificate->der.bytes())) return true;
  }
  for (const SingleResponse& single : response.responses) {
    if (!openssl_reads<CertIdPtr, d2i_OCSP_CERTID>(single.cert_id.der)) return true;
  }
  return !openssl_reads<AlgorithmPtr, d2i_X509_ALGOR>(response.signature_algorithm);
}

void check_openssl(const ParsedOcspResponse& response, ByteView bytes) {
  const auto* at = bytes.data();
  const ResponsePtr whole(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(bytes.size())));
  CHECK(whole != nullptr && at == bytes.data() + bytes.size());
  CHECK(OCSP_response_status(whole.get()) == static_cast<int>(response.status));
  if (response.status != OcspResponseStatus::successful || has_odd_parts(response)) return;
  const BasicPtr basic(OCSP_response_get1_basic(whole.get()));
  ERR_clear_error();
  CHECK(basic != nullptr);
  CHECK(OCSP_resp_count(basic.get()) == static_cast<int>(response.responses.size()));
  for (std::size_t index = 0; index < response.responses.size(); ++index) {
    OCSP_SINGLERESP* single = OCSP_resp_get0(basic.get(), static_cast<int>(index));
    const int status = OCSP_single_get0_status(single, nullptr, nullptr, nullptr, nullptr);
    CHECK(status == static_cast<int>(response.responses[index].status));
  }
}

void check_verified(const ParsedOcspResponsePtr& response, const Certificate& issuer) {
  using namespace std::chrono_literals;
  const auto verified = verify_ocsp_response(response, issuer, response->certificates,
                                             response->produced_at + 1min, {.allow_sha1 = true});
  if (!verified) return;
  CHECK(response->status == OcspResponseStatus::successful);
  CHECK(response->unknown_critical_extensions.empty());
  for (const SingleResponse& single : response->responses) {
    CHECK(cert_id_names_issuer(single.cert_id, issuer));
    const SingleResponse* found = (*verified)->find(issuer, single.cert_id.serial);
    CHECK(found != nullptr && found->this_update >= single.this_update);
  }
}

void check_response(const ParsedOcspResponsePtr& response, ByteView bytes) {
  const ByteView der = response->der.bytes();
  check_openssl(*response, bytes);
  if (response->status != OcspResponseStatus::successful) {
    CHECK(response->responses.empty() && response->certificates.empty());
    return;
  }
  CHECK(!response->responses.empty() && response->responses.size() <= kSingleResponsesMax);
  CHECK(response->certificates.size() <= kOcspCertificatesMax);
  CHECK(response->responder_name.empty() != response->responder_key_hash.empty());
  for (const ByteView view : {response->tbs, response->signature_algorithm, response->signature,
                              response->responder_name, response->responder_key_hash}) {
    check_inside(view, der);
  }
  if (response->nonce) {
    CHECK(!response->nonce->empty());
    check_inside(*response->nonce, der);
  }
  for (const SingleResponse& single : response->responses) {
    check_inside(single.cert_id.der, response->tbs);
    CHECK(parse_cert_id(single.cert_id.der).has_value());
  }
  for (const auto& certificate : response->certificates) {
    check_inside(certificate->der.bytes(), der);
    check_verified(response, *certificate);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  const auto response = parse_ocsp_response(SharedBytes::copy_of(as_text(bytes)));
  if (response) {
    check_response(*response, bytes);
  } else {
    CHECK(response.error().reason == Refusal::malformed && !response.error().detail.empty());
  }
  return 0;
}
