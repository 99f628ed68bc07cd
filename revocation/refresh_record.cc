#include "revocation/refresh_record.h"

#include <bit>
#include <concepts>
#include <utility>

namespace revcache::revocation {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kChecksumBytes = 8;

enum Presence : std::uint8_t {
  kHasDates = 1U << 0U,
  kHasNextPublish = 1U << 1U,
  kHasLastAttempt = 1U << 2U,
  kHasLastSuccess = 1U << 3U,
  kHasLastAsked = 1U << 4U,
  kAllPresent = (1U << 5U) - 1,
};

// FNV-1a, 64 bits: against damage, not against forgery.
std::uint64_t checksum(std::string_view url, std::string_view content) {
  std::uint64_t hash = 14695981039346656037ULL;
  const auto add = [&hash](char octet) {
    hash = (hash ^ static_cast<unsigned char>(octet)) * 1099511628211ULL;
  };
  for (const char octet : url) add(octet);
  add('\0');
  for (const char octet : content) add(octet);
  return hash;
}

template <std::unsigned_integral T>
void put(T value, std::string& out) {
  for (std::size_t octet = sizeof(T); octet-- > 0;) {
    out += static_cast<char>((value >> (8U * octet)) & 0xffU);
  }
}

template <class Duration>
void put_time(const std::optional<std::chrono::sys_time<Duration>>& time, std::string& out) {
  const std::int64_t count = time ? time->time_since_epoch().count() : 0;
  put(std::bit_cast<std::uint64_t>(count), out);
}

// Takes fields off the front; the length was checked before.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  template <std::unsigned_integral T>
  T take() {
    std::uint64_t value = 0;
    for (std::size_t octet = 0; octet < sizeof(T); ++octet) {
      value = (value << 8U) | static_cast<unsigned char>(rest_[octet]);
    }
    rest_.remove_prefix(sizeof(T));
    return static_cast<T>(value);
  }

  // Years 0 to 9999, so that no later sum overflows; `sane` is cleared for others.
  template <class Duration>
  std::chrono::sys_time<Duration> take_time(bool& sane) {
    constexpr std::chrono::sys_days kEarliest{std::chrono::year{0} / 1 / 1};
    constexpr std::chrono::sys_days kLatest{std::chrono::year{9999} / 12 / 31};
    constexpr auto kLeast = std::chrono::sys_time<Duration>(kEarliest).time_since_epoch().count();
    constexpr auto kMost = std::chrono::sys_time<Duration>(kLatest).time_since_epoch().count();
    const auto count = std::bit_cast<std::int64_t>(take<std::uint64_t>());
    if (count < kLeast || count > kMost) sane = false;
    return std::chrono::sys_time<Duration>(Duration(sane ? count : 0));
  }

 private:
  std::string_view rest_;
};

std::unexpected<Error> corrupt(std::string detail) {
  return fail(ErrorCode::corrupt, Blame::local, std::move(detail));
}

std::uint8_t presence_of(const RefreshRecord& record) {
  unsigned presence = 0;
  if (record.dates) presence |= kHasDates;
  if (record.dates && record.dates->next_publish) presence |= kHasNextPublish;
  if (record.last_attempt) presence |= kHasLastAttempt;
  if (record.last_success) presence |= kHasLastSuccess;
  if (record.last_asked) presence |= kHasLastAsked;
  return static_cast<std::uint8_t>(presence);
}

}  // namespace

std::string encode_refresh_record(std::string_view url, const RefreshRecord& record) {
  const EvidenceDates dates = record.dates.value_or(EvidenceDates{});
  std::string out;
  out.reserve(kRefreshRecordBytes);
  put(kVersion, out);
  put(presence_of(record), out);
  put(static_cast<std::uint8_t>(record.last_outcome), out);
  put(record.consecutive_failures, out);
  put_time(std::optional(dates.this_update), out);
  put_time(std::optional(dates.next_update), out);
  put_time(dates.next_publish, out);
  put_time(record.last_attempt, out);
  put_time(record.last_success, out);
  put_time(record.last_asked, out);
  put(checksum(url, out), out);
  return out;
}

Result<RefreshRecord> decode_refresh_record(std::string_view url, std::string_view bytes) {
  if (bytes.empty()) return corrupt("empty");
  if (static_cast<std::uint8_t>(bytes.front()) != kVersion) return corrupt("unknown version");
  if (bytes.size() != kRefreshRecordBytes) return corrupt("wrong length");
  const auto content = bytes.substr(0, bytes.size() - kChecksumBytes);
  if (Fields(bytes.substr(content.size())).take<std::uint64_t>() != checksum(url, content)) {
    return corrupt("checksum");
  }
  Fields fields(content.substr(1));
  const auto presence = fields.take<std::uint8_t>();
  const auto outcome = fields.take<std::uint8_t>();
  if (presence > kAllPresent || outcome > static_cast<std::uint8_t>(RefreshOutcome::refused)) {
    return corrupt("unknown value");
  }
  RefreshRecord record;
  record.last_outcome = static_cast<RefreshOutcome>(outcome);
  record.consecutive_failures = fields.take<std::uint32_t>();
  bool sane = true;
  EvidenceDates dates;
  dates.this_update = fields.take_time<seconds>(sane);
  dates.next_update = fields.take_time<seconds>(sane);
  const auto next_publish = fields.take_time<seconds>(sane);
  if ((presence & kHasNextPublish) != 0) dates.next_publish = next_publish;
  if ((presence & kHasDates) != 0) record.dates = dates;
  const auto last_attempt = fields.take_time<milliseconds>(sane);
  if ((presence & kHasLastAttempt) != 0) record.last_attempt = last_attempt;
  const auto last_success = fields.take_time<milliseconds>(sane);
  if ((presence & kHasLastSuccess) != 0) record.last_success = last_success;
  const auto last_asked = fields.take_time<milliseconds>(sane);
  if ((presence & kHasLastAsked) != 0) record.last_asked = last_asked;
  if (!sane) return corrupt("a time out of range");
  return record;
}

}  // namespace revcache::revocation
