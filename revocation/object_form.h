// What an object claims to be, and whether its bytes have that form. Form only: a well-formed CRL
// may still be forged. Pure.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/object_kind.h"
#include "base/result.h"
#include "http/message.h"

namespace revcache::revocation {

// By method, extension of the path and Content-Type of the request.
ObjectKind kind_by_request(http::Method method, std::string_view url,
                           const http::FieldsView& fields);

// By the response's Content-Type; `other` when it says nothing.
ObjectKind kind_by_content_type(std::string_view content_type);

// One complete DER SEQUENCE with nothing behind it (definite, minimal length), or for CRLs and
// certificates the PEM armour of one. Fails with malformed (blame upstream); the detail says what
// is wrong: a web page, a truncated or an over-long object.
Result<void> check_form(ObjectKind kind, ByteView body);

}  // namespace revcache::revocation
