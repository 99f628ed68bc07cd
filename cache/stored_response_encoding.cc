// The byte format of docs/formats.md, section "Stored response head". Every octet that it can hold
// is either checked or free, so that one head has one encoding.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <concepts>
#include <limits>

#include "base/check.h"
#include "cache/stored_response.h"
#include "http/characters.h"

namespace revcache::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kMagic = "RVCH";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kLengthBytes = 4;

// Years 0 to 9999, which HTTP dates can say; arithmetic on such times cannot overflow.
constexpr WallSeconds kTimeMin = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
constexpr WallSeconds kTimeMax = std::chrono::sys_days{std::chrono::year{10000} / 1 / 1};
constexpr seconds kDurationMax{std::int64_t{1} << 40U};

enum Flag : unsigned {
  flag_vary_index = 1U << 0U,
  flag_on_disk = 1U << 1U,
  flag_heuristic = 1U << 2U,
  flag_no_cache = 1U << 3U,
  flag_must_revalidate = 1U << 4U,
  flag_usable_until = 1U << 5U,
  flag_last_modified = 1U << 6U,
  flag_date = 1U << 7U,
};

unsigned flags_of(const StoredResponse& response) noexcept {
  const FreshnessFacts& facts = response.freshness;
  unsigned flags = 0;
  const auto add = [&flags](Flag flag, bool is_set) {
    if (is_set) flags |= flag;
  };
  add(flag_vary_index, response.vary_index);
  add(flag_on_disk, response.on_disk);
  add(flag_heuristic, facts.heuristic);
  add(flag_no_cache, facts.no_cache);
  add(flag_must_revalidate, facts.must_revalidate);
  add(flag_usable_until, facts.usable_until.has_value());
  add(flag_last_modified, response.last_modified.has_value());
  add(flag_date, response.date.has_value());
  return flags;
}

class Writer {
 public:
  template <std::unsigned_integral Number>
  void number(Number value) {
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
      bytes_ += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
    }
  }
  void signed_number(std::int64_t value) { number(static_cast<std::uint64_t>(value)); }
  void text(std::string_view value) {
    count(value.size());
    bytes_ += value;
  }
  void count(std::size_t value) {
    CHECK(value <= std::numeric_limits<std::uint32_t>::max());
    number(static_cast<std::uint32_t>(value));
  }
  void raw(std::string_view value) { bytes_ += value; }

  std::string finish() && {
    number(std::uint64_t{XXH3_64bits(bytes_.data(), bytes_.size())});
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

// Gives zeros and empty texts once something was wrong; ok() tells.
class Reader {
 public:
  explicit Reader(std::string_view bytes) noexcept : rest_(bytes) {}

  template <std::unsigned_integral Number>
  Number number() noexcept {
    const std::string_view octets = raw(sizeof(Number));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < octets.size(); ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(octets[i])} << (8 * i);
    }
    return static_cast<Number>(value);
  }
  std::int64_t signed_number() noexcept {
    return static_cast<std::int64_t>(number<std::uint64_t>());
  }
  std::string_view text() noexcept { return raw(number<std::uint32_t>()); }
  // A number of things, each of which takes at least `bytes_each`.
  std::size_t count(std::size_t bytes_each) noexcept {
    const std::size_t value = number<std::uint32_t>();
    require(value <= rest_.size() / bytes_each);
    return ok_ ? value : 0;
  }
  std::string_view raw(std::size_t length) noexcept {
    require(length <= rest_.size());
    if (!ok_) return {};
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

  WallTime time() noexcept {
    const WallTime value{milliseconds{signed_number()}};
    require(value >= kTimeMin && value < kTimeMax);
    return ok_ ? value : WallTime{};
  }
  WallSeconds time_seconds() noexcept {
    const WallSeconds value{seconds{signed_number()}};
    require(value >= kTimeMin && value < kTimeMax);
    return ok_ ? value : WallSeconds{};
  }
  seconds duration() noexcept {
    const seconds value{signed_number()};
    require(value >= seconds{0} && value <= kDurationMax);
    return ok_ ? value : seconds{0};
  }

  void require(bool condition) noexcept { ok_ = ok_ && condition; }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// Absent means eight zero octets, and nothing else.
template <class Read>
auto optional_part(Reader& reader, bool is_there, Read read)
    -> std::optional<decltype(read(reader))> {
  if (is_there) return read(reader);
  reader.require(reader.number<std::uint64_t>() == 0);
  return std::nullopt;
}

void read_fixed_part(Reader& reader, StoredResponse& response) {
  const auto kind = reader.number<std::uint8_t>();
  reader.require(kind < kObjectKinds);
  const auto trust = reader.number<std::uint8_t>();
  reader.require(trust <= static_cast<std::uint8_t>(Trust::verified));
  if (!reader.ok()) return;
  response.kind = static_cast<ObjectKind>(kind);
  response.trust = static_cast<Trust>(trust);
  const unsigned flags = reader.number<std::uint8_t>();
  response.status = reader.number<std::uint16_t>();
  reader.require(response.status >= 100 && response.status <= 999);
  response.vary_index = (flags & flag_vary_index) != 0;
  response.on_disk = (flags & flag_on_disk) != 0;

  FreshnessFacts& facts = response.freshness;
  facts.heuristic = (flags & flag_heuristic) != 0;
  facts.no_cache = (flags & flag_no_cache) != 0;
  facts.must_revalidate = (flags & flag_must_revalidate) != 0;
  facts.request_time = reader.time();
  facts.response_time = reader.time();
  facts.date_offset = reader.duration();
  facts.lifetime = reader.duration();
  facts.stale_while_revalidate = reader.duration();
  facts.stale_if_error = reader.duration();
  const auto time = [](Reader& from) { return from.time(); };
  const auto time_seconds = [](Reader& from) { return from.time_seconds(); };
  facts.usable_until = optional_part(reader, (flags & flag_usable_until) != 0, time);
  response.last_modified = optional_part(reader, (flags & flag_last_modified) != 0, time_seconds);
  response.date = optional_part(reader, (flags & flag_date) != 0, time_seconds);
  response.body_bytes = reader.number<std::uint64_t>();
  response.generation = reader.number<std::uint64_t>();
}

// What is sent to clients again must not be able to end a field line.
void read_texts(Reader& reader, StoredResponse& response) {
  constexpr std::size_t kPairBytesMin = 2 * kLengthBytes;
  response.key = reader.text();
  response.etag = reader.text();
  reader.require(http::all_in(http::CharacterClass::field_value, response.etag));
  const std::size_t fields = reader.count(kPairBytesMin);
  for (std::size_t i = 0; i < fields && reader.ok(); ++i) {
    const std::string_view name = reader.text();
    const std::string_view value = reader.text();
    reader.require(http::is_token(name) && http::all_in(http::CharacterClass::field_value, value));
    if (reader.ok()) response.fields.add(name, value);
  }
  const std::size_t vary = reader.count(kPairBytesMin);
  for (std::size_t i = 0; i < vary && reader.ok(); ++i) {
    const std::string_view name = reader.text();
    response.vary.emplace_back(name, reader.text());
  }
}

std::unexpected<Error> corrupt(std::string_view why) {
  return fail(ErrorCode::corrupt, Blame::local, "stored response head: " + std::string(why));
}

}  // namespace

std::string encode_head(const StoredResponse& response) {
  const FreshnessFacts& facts = response.freshness;
  Writer writer;
  writer.raw(kMagic);
  writer.number(kVersion);
  writer.number(static_cast<std::uint8_t>(response.kind));
  writer.number(static_cast<std::uint8_t>(response.trust));
  writer.number(static_cast<std::uint8_t>(flags_of(response)));
  writer.number(response.status);
  writer.signed_number(facts.request_time.time_since_epoch().count());
  writer.signed_number(facts.response_time.time_since_epoch().count());
  for (const seconds duration :
       {facts.date_offset, facts.lifetime, facts.stale_while_revalidate, facts.stale_if_error}) {
    writer.signed_number(duration.count());
  }
  writer.signed_number(facts.usable_until.value_or(WallTime{}).time_since_epoch().count());
  writer.signed_number(response.last_modified.value_or(WallSeconds{}).time_since_epoch().count());
  writer.signed_number(response.date.value_or(WallSeconds{}).time_since_epoch().count());
  writer.number(response.body_bytes);
  writer.number(response.generation);
  writer.text(response.key);
  writer.text(response.etag);
  writer.count(response.fields.view().size());
  for (const http::Field& field : response.fields.view()) {
    writer.text(field.name);
    writer.text(field.value);
  }
  writer.count(response.vary.size());
  for (const auto& [name, value] : response.vary) {
    writer.text(name);
    writer.text(value);
  }
  return std::move(writer).finish();
}

Result<StoredResponse> decode_head(std::string_view bytes) {
  if (bytes.size() < kMagic.size() + 1 + kChecksumBytes) return corrupt("too short");
  if (!bytes.starts_with(kMagic)) return corrupt("not one");
  if (bytes[kMagic.size()] != static_cast<char>(kVersion)) return corrupt("unknown version");
  const std::string_view covered = bytes.substr(0, bytes.size() - kChecksumBytes);
  Reader checksum(bytes.substr(covered.size()));
  if (checksum.number<std::uint64_t>() != XXH3_64bits(covered.data(), covered.size())) {
    return corrupt("wrong checksum");
  }
  // The checksum finds accidents. Whoever can write to the directory can compute it too, so that
  // every value is checked as well.
  Reader reader(covered.substr(kMagic.size() + 1));
  StoredResponse response;
  read_fixed_part(reader, response);
  if (reader.ok()) read_texts(reader, response);
  if (!reader.ok() || !reader.at_end()) return corrupt("malformed");
  return response;
}

}  // namespace revcache::cache
