// Any octets as OCSP requests, as DER and as a path: never crashes, both ways of reading agree, and
// what they give lies inside the input.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "pki/ocsp_request.h"

namespace {

using namespace revcache;
using namespace revcache::pki;

void check_inside(ByteView inner, ByteView outer) {
  if (inner.empty()) return;
  CHECK(inner.data() >= outer.data());
  CHECK(inner.data() + inner.size() <= outer.data() + outer.size());
}

void check_request(ByteView der) {
  const auto request = parse_ocsp_request(der);
  const auto question = parse_ocsp_question(der);
  CHECK(request.has_value() == question.has_value());
  if (!request) return;
  CHECK(!request->requests.empty() && request->requests.size() <= kOcspRequestsMax);
  for (const CertId& id : request->requests) {
    check_inside(id.der, der);
    const auto again = parse_cert_id(id.der);
    CHECK(again.has_value() && std::ranges::equal(again->serial, id.serial));
  }
  CHECK(question->cert_id.der.data() == request->requests.front().der.data());
  CHECK(question->has_nonce == request->nonce.has_value());
  if (request->is_signed || request->requests.size() > 1) CHECK(!question->single);
  if (request->nonce) check_inside(*request->nonce, der);
  check_inside(request->preferred_signature_algorithms, der);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_request(bytes);
  static_cast<void>(parse_cert_id(bytes));

  std::string der;
  const std::string_view path = as_text(bytes);
  if (const auto found = decode_ocsp_get_path(path, der)) {
    CHECK(found->prefix >= 1 && found->prefix < path.size() && path[found->prefix - 1] == '/');
    const auto question = parse_ocsp_question(as_bytes(der));
    CHECK(question.has_value());
    CHECK(question->cert_id.der.data() == found->question.cert_id.der.data());
  }
  return 0;
}
