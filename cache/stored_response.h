// One cached response: what RFC 9111 section 3 says to keep, what freshness is computed from, and
// the bytes that a hit sends, rendered once. Immutable after it is built; shared by all loops.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/object_kind.h"
#include "base/result.h"
#include "cache/asked_marks.h"
#include "http/message.h"

namespace revcache::cache {

// What admission found out about a body. Only `verified` is evidence.
enum class Trust : std::uint8_t { unverified, verified };

// What a response's own fields allow, extracted once from its head at storing time.
struct FreshnessFacts {
  WallTime request_time;                // when the request that got it was sent
  WallTime response_time;               // when its head arrived
  std::chrono::seconds date_offset{0};  // apparent_age and Age, RFC 9111 4.2.3: the
                                        // corrected_initial_age at response_time
  std::chrono::seconds lifetime{0};     // freshness lifetime, 4.2.1
  bool heuristic = false;               // lifetime was guessed, 4.2.2
  bool no_cache = false;                // must be validated before each use
  bool must_revalidate = false;         // must-revalidate, proxy-revalidate or s-maxage
  std::chrono::seconds stale_while_revalidate{0};
  std::chrono::seconds stale_if_error{0};
  std::optional<WallTime> usable_until;  // nextUpdate by admission: never served past it
};

struct StoredResponse {
  std::string key;  // cache_key.h
  ObjectKind kind = ObjectKind::other;
  Trust trust = Trust::unverified;
  std::uint16_t status = 200;
  http::Fields fields;  // end-to-end, as received
  // Names (lower case) and normalised values of the request fields that Vary selected.
  std::vector<std::pair<std::string, std::string>> vary;
  bool vary_index = false;  // no response: only names the fields of Vary
  FreshnessFacts freshness;
  std::string etag;  // as received, with W/ and quotes; empty: none
  std::optional<WallSeconds> last_modified;
  std::optional<WallSeconds> date;
  std::uint64_t body_bytes = 0;
  SharedBytes body;              // whole, or empty when on_disk
  bool on_disk = false;          // body larger than memory takes: Tier::read_piece
  std::uint64_t generation = 0;  // of the disk entry that holds the body
  std::uint64_t purge_mark = 0;  // PurgeLog::mark() of the request that got it; not written down

  AskedMark asked_mark = 0;  // of the key; by finish()

  // Rendered by finish(): status line, end-to-end fields and Via, without the closing empty line.
  // Age, Cache-Status and connection fields are added per request.
  std::string rendered_head;
  std::string rendered_not_modified;  // the same for 304 (RFC 9110 15.4.5)

  [[nodiscard]] std::size_t memory_bytes() const noexcept;  // charged to the memory tier
};

using StoredResponsePtr = std::shared_ptr<const StoredResponse>;

// Fills the validators, date, sizes and rendered heads from `fields`, and gives the finished,
// immutable entry. Adds Date (from response_time) when the origin sent none (RFC 9110 6.6.1) and
// Content-Length = body_bytes.
StoredResponsePtr finish(StoredResponse&& response);

// Versioned, checksummed encoding of everything but body and rendered forms (docs/formats.md).
std::string encode_head(const StoredResponse& response);
// Fails with corrupt on any damage; an unknown version is corrupt too. The body is attached by the
// disk tier, which then calls finish().
Result<StoredResponse> decode_head(std::string_view bytes);

}  // namespace revcache::cache
