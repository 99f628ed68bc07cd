// The bytes in which the refresher remembers one URL over a restart (docs/formats.md, "Refresh
// record"). Pure: any bytes are accepted and judged, nothing is trusted before its checksum. Any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "revocation/refresher.h"

namespace revcache::revocation {

struct RefreshRecord {
  std::optional<EvidenceDates> dates{};
  std::optional<WallTime> last_attempt{};
  std::optional<WallTime> last_success{};
  std::optional<WallTime> last_asked{};  // by a client
  RefreshOutcome last_outcome = RefreshOutcome::failed;
  std::uint32_t consecutive_failures = 0;
  friend bool operator==(const RefreshRecord&, const RefreshRecord&) = default;
};

inline constexpr std::size_t kRefreshRecordBytes = 63;

// `url` goes into the checksum: a record in the place of another one does not match.
std::string encode_refresh_record(std::string_view url, const RefreshRecord& record);
// Fails with corrupt (blame local).
Result<RefreshRecord> decode_refresh_record(std::string_view url, std::string_view bytes);

}  // namespace revcache::revocation
