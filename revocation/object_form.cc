#include "revocation/object_form.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>

namespace revcache::revocation {

namespace {

using Rule = std::pair<std::string_view, ObjectKind>;

constexpr std::array kExtensions{
    Rule{".crl", ObjectKind::crl}, Rule{".cer", ObjectKind::aia}, Rule{".crt", ObjectKind::aia},
    Rule{".der", ObjectKind::aia}, Rule{".p7c", ObjectKind::aia}, Rule{".p7b", ObjectKind::aia},
    Rule{".arl", ObjectKind::crl},
};

constexpr std::array kContentTypes{
    Rule{"application/pkix-crl", ObjectKind::crl},
    Rule{"application/x-pkcs7-crl", ObjectKind::crl},
    Rule{"application/pkix-cert", ObjectKind::aia},
    Rule{"application/x-x509-ca-cert", ObjectKind::aia},
    Rule{"application/pkcs7-mime", ObjectKind::aia},
    Rule{"application/x-pkcs7-certificates", ObjectKind::aia},
    Rule{"application/ocsp-response", ObjectKind::ocsp},
};

bool ends_with_ignoring_case(std::string_view text, std::string_view suffix) noexcept {
  return text.size() >= suffix.size() &&
         http::equals_ignoring_case(text.substr(text.size() - suffix.size()), suffix);
}

std::string_view path_of(std::string_view url) noexcept {
  return url.substr(0, url.find_first_of("?#"));
}

// Windows CAs name delta CRLs by a "+" before the extension.
ObjectKind delta_if_marked(std::string_view path, ObjectKind kind) noexcept {
  const bool marked =
      ends_with_ignoring_case(path, "+.crl") || ends_with_ignoring_case(path, "%2B.crl");
  return kind == ObjectKind::crl && marked ? ObjectKind::delta_crl : kind;
}

std::unexpected<Error> not_of_form(std::string detail) {
  return fail(ErrorCode::malformed, Blame::upstream, std::move(detail));
}

// X.690 8.1: tag SEQUENCE, a definite length in its shortest form, and just as many octets.
Result<void> check_der(ByteView body) {
  if (body.size() < 2) return not_of_form("the body is too short for DER");
  std::size_t length = body[1];
  std::size_t header = 2;
  if (length == 0x80U) return not_of_form("the DER length is indefinite");
  if (length > 0x80U) {
    const std::size_t octets = length - 0x80U;
    if (octets > sizeof(std::size_t) || body.size() < 2 + octets) {
      return not_of_form("the DER length is cut off");
    }
    length = 0;
    for (std::size_t i = 0; i < octets; ++i) length = length << 8U | body[2 + i];
    header = 2 + octets;
    const bool shortest = length >= 0x80U && body[2] != 0;
    if (!shortest) return not_of_form("the DER length is not in its shortest form");
  }
  const std::size_t present = body.size() - header;
  if (present < length) {
    return not_of_form("truncated: " + std::to_string(present) + " of " + std::to_string(length) +
                       " octets are there");
  }
  if (present > length) {
    return not_of_form(std::to_string(present - length) + " octets behind the object");
  }
  return {};
}

Result<void> check_pem(std::string_view text) {
  const auto begin = text.find("-----BEGIN ");
  const auto end = text.rfind("-----END ");
  const bool complete =
      begin == 0 && end != std::string_view::npos && end > begin && text.ends_with("-----");
  if (!complete) return not_of_form("the PEM armour is incomplete");
  return {};
}

std::string_view without_trailing_space(std::string_view text) noexcept {
  const auto last = text.find_last_not_of("\r\n \t");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

ObjectKind kind_by_content_type(std::string_view content_type) {
  const auto type = without_trailing_space(content_type.substr(0, content_type.find(';')));
  const auto* const found = std::ranges::find_if(kContentTypes, [&](const Rule& rule) {
    return http::equals_ignoring_case(rule.first, type);
  });
  return found == kContentTypes.end() ? ObjectKind::other : found->second;
}

ObjectKind kind_by_request(http::Method method, std::string_view url,
                           const http::FieldsView& fields) {
  if (method == http::Method::post) {
    const auto type = fields.find(http::FieldId::content_type).value_or("");
    const bool asks =
        http::equals_ignoring_case(type.substr(0, type.find(';')), "application/ocsp-request");
    return asks ? ObjectKind::ocsp : ObjectKind::other;
  }
  if (method != http::Method::get && method != http::Method::head) return ObjectKind::other;
  const auto path = path_of(url);
  const auto* const found = std::ranges::find_if(
      kExtensions, [&](const Rule& rule) { return ends_with_ignoring_case(path, rule.first); });
  return found == kExtensions.end() ? ObjectKind::other : delta_if_marked(path, found->second);
}

Result<void> check_form(ObjectKind kind, ByteView body) {
  const auto text = as_text(body);
  if (!body.empty() && body[0] == 0x30) return check_der(body);
  const bool may_be_pem = kind != ObjectKind::ocsp;
  if (may_be_pem && text.starts_with("-----BEGIN ")) {
    return check_pem(without_trailing_space(text));
  }
  if (body.empty()) return not_of_form("the body is empty");
  const auto first = text.find_first_not_of("\r\n \t");
  if (first != std::string_view::npos && text[first] == '<') {
    return not_of_form("a web page instead of an object");
  }
  return not_of_form("neither DER nor PEM");
}

}  // namespace revcache::revocation
