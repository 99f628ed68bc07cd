#include "revocation/object_form.h"

#include <gtest/gtest.h>

#include <string>

namespace revcache::revocation {
namespace {

using http::Fields;
using http::Method;

struct RequestRow {
  Method method;
  const char* url;
  const char* content_type;
  ObjectKind kind;
};

TEST(KindByRequest, IsToldByMethodExtensionAndContentType) {
  const RequestRow table[] = {
      {Method::get, "http://a/b.crl", "", ObjectKind::crl},
      {Method::get, "http://a/B.CRL", "", ObjectKind::crl},
      {Method::head, "http://a/b.crl", "", ObjectKind::crl},
      {Method::get, "http://a/b.crl?x=1", "", ObjectKind::crl},
      {Method::get, "http://a/b+.crl", "", ObjectKind::delta_crl},
      {Method::get, "http://a/b%2B.crl", "", ObjectKind::delta_crl},
      {Method::get, "http://a/cert.cer", "", ObjectKind::aia},
      {Method::get, "http://a/cert.crt", "", ObjectKind::aia},
      {Method::get, "http://a/cert.p7c", "", ObjectKind::aia},
      {Method::get, "http://a/b.crl.html", "", ObjectKind::other},
      {Method::get, "http://a/?f=b.crl", "", ObjectKind::other},
      {Method::get, "http://a/", "", ObjectKind::other},
      {Method::post, "http://a/ocsp", "application/ocsp-request", ObjectKind::ocsp},
      {Method::post, "http://a/ocsp", "Application/OCSP-Request; x=y", ObjectKind::ocsp},
      {Method::post, "http://a/b.crl", "text/plain", ObjectKind::other},
      {Method::put, "http://a/b.crl", "", ObjectKind::other},
  };
  for (const auto& row : table) {
    Fields fields;
    if (*row.content_type != '\0') fields.add(http::FieldId::content_type, row.content_type);
    EXPECT_EQ(kind_by_request(row.method, row.url, fields.view()), row.kind) << row.url;
  }
}

TEST(KindByContentType, KnowsTheRegisteredTypesAndTheirHabits) {
  EXPECT_EQ(kind_by_content_type("application/pkix-crl"), ObjectKind::crl);
  EXPECT_EQ(kind_by_content_type("Application/PKIX-CRL ; a=b"), ObjectKind::crl);
  EXPECT_EQ(kind_by_content_type("application/ocsp-response"), ObjectKind::ocsp);
  EXPECT_EQ(kind_by_content_type("application/pkix-cert"), ObjectKind::aia);
  EXPECT_EQ(kind_by_content_type("application/octet-stream"), ObjectKind::other);
  EXPECT_EQ(kind_by_content_type(""), ObjectKind::other);
}

// Not inlined: g++ 12 loses sight of where a string keeps its octets, and warns (array-bounds).
[[gnu::noinline]] std::string der(std::size_t content_octets) {
  std::string bytes;
  bytes.push_back('\x30');
  if (content_octets < 0x80) {
    bytes.push_back(static_cast<char>(content_octets));
  } else {
    bytes.push_back('\x82');
    bytes.push_back(static_cast<char>(content_octets >> 8U));
    bytes.push_back(static_cast<char>(content_octets & 0xFFU));
  }
  bytes.append(content_octets, 'x');
  return bytes;
}

[[gnu::noinline]] std::string with_octet_behind(std::string bytes) {
  bytes.push_back('x');
  return bytes;
}

[[gnu::noinline]] std::string cut_to(std::string bytes, std::size_t octets) {
  bytes.resize(octets);
  return bytes;
}

[[gnu::noinline]] std::string with_length_padded_by_zero() {
  std::string bytes("\x30\x82\x00\x90", 4);
  bytes.append(0x90, 'x');
  return bytes;
}

struct FormRow {
  const char* what;
  ObjectKind kind;
  std::string body;
  const char* refused_because;  // part of the detail; nullptr: accepted
};

TEST(CheckForm, AcceptsOneWholeObjectAndNamesWhatIsWrongWithOthers) {
  const FormRow table[] = {
      {"short form", ObjectKind::crl, der(5), nullptr},
      {"two octets of length", ObjectKind::crl, der(300), nullptr},
      {"an empty SEQUENCE", ObjectKind::aia, der(0), nullptr},
      {"PEM", ObjectKind::crl, "-----BEGIN X509 CRL-----\nAA==\n-----END X509 CRL-----\n", nullptr},
      {"PEM cut off", ObjectKind::crl, "-----BEGIN X509 CRL-----\nAA==\n", "PEM"},
      {"PEM as an OCSP answer", ObjectKind::ocsp, "-----BEGIN X-----\n-----END X-----", "neither"},
      {"nothing", ObjectKind::crl, "", "empty"},
      {"a web page", ObjectKind::crl, "<!DOCTYPE html><html>", "web page"},
      {"a web page after blanks", ObjectKind::ocsp, "\r\n <html>", "web page"},
      {"text", ObjectKind::crl, "not found", "neither"},
      {"truncated", ObjectKind::crl, cut_to(der(300), 200), "truncated"},
      {"octets behind it", ObjectKind::crl, with_octet_behind(der(300)), "behind"},
      {"indefinite length", ObjectKind::crl, std::string("\x30\x80xx", 4), "indefinite"},
      {"length not shortest", ObjectKind::crl, std::string("\x30\x81\x05xxxxx", 8), "shortest"},
      {"length with leading zero", ObjectKind::crl, with_length_padded_by_zero(), "shortest"},
      {"length cut off", ObjectKind::crl, std::string("\x30\x84\x01", 3), "cut off"},
      {"one octet", ObjectKind::crl, "\x30", "too short"},
      {"a length beyond memory", ObjectKind::crl,
       std::string("\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff", 10), "truncated"},
      {"a length of nine octets", ObjectKind::crl,
       std::string("\x30\x89\x01\x00\x00\x00\x00\x00\x00\x00\x00", 11), "cut off"},
  };
  for (const auto& row : table) {
    const auto result = check_form(row.kind, as_bytes(row.body));
    if (row.refused_because == nullptr) {
      EXPECT_TRUE(result) << row.what;
      continue;
    }
    ASSERT_FALSE(result) << row.what;
    EXPECT_EQ(result.error().code, ErrorCode::malformed) << row.what;
    EXPECT_NE(result.error().detail.find(row.refused_because), std::string::npos)
        << row.what << ": " << result.error().detail;
  }
}

}  // namespace
}  // namespace revcache::revocation
