// RFC 9111 section 3: may this response be stored by a shared cache? Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/cache_control.h"
#include "http/message.h"

namespace revcache::cache {

struct StoreVerdict {
  bool store = false;
  std::string_view reason =
      {};  // static; for the log: "no-store", "authorization", "status 206", …
  // RFC 9111 does not forbid it. With `store` false: by HTTP alone it could never be used again
  // (neither freshness nor validator), but evidence that admission verified is worth keeping.
  bool permitted = false;
};

// The request that got a response. Only for the length of a call: fields and directives are not
// owned.
struct AskedFor {
  http::Method method;
  const http::FieldsView& fields;
  const http::RequestDirectives& directives;
  bool ocsp = false;
};

// GET responses only (a HEAD answer can freshen, not be stored; POST only as OCSP, which says
// `ocsp` and needs explicit or admitted freshness). Request no-store, Authorization (3.5), response
// no-store, private, Vary: *, 206 and unknown statuses without explicit freshness, must-understand.
// A response with Set-Cookie whose freshness would be a guess is refused: nobody said that others
// may get what may have been made for one. (RFC 9111 7.3 leaves that to the cache.)
StoreVerdict may_store(const AskedFor& asked, const http::ResponseHead& response,
                       const http::ResponseDirectives& directives);

// What is stored of a response's fields: end-to-end ones, without those that a qualified private or
// no-cache names (RFC 9111 5.2.2.4, 5.2.2.7) and without Set-Cookie: a cookie is for the client
// whose request was forwarded, and for nobody who is answered from the cache.
http::Fields storable_fields(const http::FieldsView& response,
                             const http::ResponseDirectives& directives);

// RFC 9111 4.4: a non-error answer to an unsafe method makes stored responses for its URI (and for
// Location and Content-Location on the same origin) invalid.
bool invalidates(http::Method method, std::uint16_t status) noexcept;

// RFC 9110 15.1: 200 203 204 206 300 301 308 404 405 410 414 501.
bool is_heuristically_cacheable(std::uint16_t status) noexcept;

}  // namespace revcache::cache
