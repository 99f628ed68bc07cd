// Conditional requests and ranges answered from a stored response (RFC 9110 sections 13 and 14,
// RFC 9111 section 4.3), and validation of a stored response against upstream. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "cache/stored_response.h"
#include "http/message.h"

namespace revcache::cache {

enum class Reply : std::uint8_t {
  full,                   // the stored status and body
  not_modified,           // 304
  precondition_failed,    // 412
  partial,                // 206, one range
  range_not_satisfiable,  // 416
};

struct ReplyPlan {
  Reply reply = Reply::full;
  std::uint64_t first = 0;  // of a partial reply, inclusive
  std::uint64_t last = 0;
};

// For whom a stored response is given out. If-Match and If-Unmodified-Since, and conditions on
// methods other than GET and HEAD, are questions to the origin server: a cache must not answer them
// (RFC 9110 13.2.2 steps 1 and 2, RFC 9111 4.3.2).
enum class Role : std::uint8_t { cache, origin_server };

// Precedence of RFC 9110 13.2.2. Conditions and ranges only on status 200, ranges only for GET
// (14.2); several ranges are answered in full, which a server may. If-Range needs a strong
// validator (13.1.5). precondition_failed only for Role::origin_server: resources of our own.
ReplyPlan plan_reply(http::Method method, const http::FieldsView& request,
                     const StoredResponse& stored, WallSeconds now, Role role = Role::cache);

// Puts If-None-Match and If-Modified-Since from the stored validators (RFC 9111 4.3.1) in place of
// all conditions and ranges of `request`; does nothing when there are none.
void add_validators(http::Fields& request, const StoredResponse& stored);

// True if `not_modified` (a 304) can freshen `stored` (RFC 9111 4.3.4). The request is taken to
// have named the validators of `stored` and no others: a 304 without any is then about it, since an
// origin may leave out Last-Modified (RFC 9110 15.4.5).
bool can_freshen(const StoredResponse& stored, const http::ResponseHead& not_modified);

// The stored response with the fields of the 304 (RFC 9111 3.2: not Content-Length,
// Content-Encoding, Content-Type, Content-Range, hop-by-hop, an ETag that it has already) and new
// freshness, under the same key, trust and usable_until; body shared, `purge_mark` the validating
// request's. Age, Date and Cache-Status of
// the earlier answer are dropped. Whether the merged fields may still be stored is for the caller
// to ask (a 304 can bring no-store).
StoredResponsePtr freshen(const StoredResponse& stored, const http::ResponseHead& not_modified,
                          WallTime request_time, WallTime response_time,
                          std::uint64_t purge_mark = 0);

// RFC 9111 4.3.5: true if a 200 answer to HEAD matches the stored validators and length, so that
// freshen() may be applied; false means the stored response is to be invalidated. An answer that
// has none of the three proves nothing, and does not match.
bool head_matches(const StoredResponse& stored, const http::ResponseHead& head);

// Strong and weak comparison of RFC 9110 8.8.3.2 over whole entity-tags.
bool strong_match(std::string_view left, std::string_view right) noexcept;
bool weak_match(std::string_view left, std::string_view right) noexcept;

}  // namespace revcache::cache
