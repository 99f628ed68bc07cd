// The OCSP question that a request is: in the path of a GET, in the body of a POST, about us or
// about somebody else. Read once for a target that is remembered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/uri.h"
#include "pki/ocsp_request.h"

namespace revcache::proxy {

// Reused from request to request: nothing is allocated once its strings have grown. Not copied: it
// has views into itself.
struct AskedQuestion {
  AskedQuestion() = default;
  AskedQuestion(const AskedQuestion&) = delete;
  AskedQuestion& operator=(const AskedQuestion&) = delete;

  enum class Path : std::uint8_t { unread, none, forwarded, own };

  Path path = Path::unread;                   // `none`: of a path that is no question
  std::string_view der;                       // empty: no OCSPRequest
  std::optional<pki::OcspQuestion> question;  // views into `der`
  std::string cache_key;  // of what is forwarded and may be shared; empty: it may not
  std::string authority;  // of our own path; empty: none is named
  std::string storage;    // of `der`, when it was in the path

  void forget() noexcept;

  // A GET of another's URI.
  void read_get(const http::UriView& uri);
  // `body`: an OCSPRequest; must outlive what is read.
  void read_post(const http::UriView& uri, std::string_view body);
  // "/ocsp", "/ocsp/name" (POST), with base64 behind it (GET), or `none`.
  void read_own(std::string_view path);

 private:
  void find_cache_key(const http::UriView& uri);
};

}  // namespace revcache::proxy
