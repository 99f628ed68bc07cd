#include "revocation/state_record.h"

#include <xxhash.h>

#include <concepts>
#include <utility>

#include "base/bytes.h"
#include "pki/signature.h"

namespace revcache::revocation {
namespace {

constexpr char kRecordVersion = 1;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kNumberBytes = 8;
constexpr std::string_view kConfirmedMagic = "RVST";

template <std::unsigned_integral T>
void append_number(T value, std::string& out) {
  for (std::size_t shift = sizeof(T) * 8; shift > 0; shift -= 8) {
    out += static_cast<char>(static_cast<unsigned char>(value >> (shift - 8)));
  }
}

// `bytes` has sizeof(T) octets at least.
template <std::unsigned_integral T>
T number_in(std::string_view bytes) noexcept {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value << 8U) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

std::uint64_t seconds_of(WallSeconds time) noexcept {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

std::optional<WallSeconds> time_in(std::string_view bytes) noexcept {
  const auto seconds = static_cast<std::int64_t>(number_in<std::uint64_t>(bytes));
  const WallSeconds time{std::chrono::seconds(seconds)};
  if (!is_storable(time)) return std::nullopt;
  return time;
}

std::string_view text_of(const pki::Sha256& hash) noexcept { return as_text(ByteView(hash)); }

pki::Sha256 hash_in(std::string_view bytes) noexcept {
  pki::Sha256 hash{};
  for (std::size_t i = 0; i < hash.size(); ++i) hash[i] = static_cast<std::uint8_t>(bytes[i]);
  return hash;
}

std::uint64_t checksum_of(std::string_view key, std::string_view bytes) noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), XXH3_64bits(key.data(), key.size()));
}

std::unexpected<Error> corrupt(std::string_view key, std::string_view why) {
  return fail(ErrorCode::corrupt, Blame::local,
              "the state record " + describe_key(key) + " is damaged: " + std::string(why));
}

std::size_t issuer_offset(StateKind kind) noexcept {
  return kind == StateKind::ocsp_age ? 1 + kNumberBytes : 1;
}

std::string_view kind_name(StateKind kind) noexcept {
  switch (kind) {
    case StateKind::clock_floor:
      return "clock floor";
    case StateKind::floor:
      return "floor";
    case StateKind::ocsp_age:
      return "age of an OCSP floor";
    case StateKind::seen:
      return "revocation seen";
    case StateKind::manual:
      return "manual revocation";
    case StateKind::audit:
      return "audit entry";
    case StateKind::decision:
      return "decision";
    case StateKind::refresh:
      return "refresher's record";
    case StateKind::issuer:
      return "issuer's certificate";
    case StateKind::last_write:
      return "number of the last write";
  }
  return "unknown record";
}

}  // namespace

std::string single_key(StateKind kind) { return {static_cast<char>(kind)}; }

std::string floor_record_key(const FloorKey& key) {
  return issuer_prefix(StateKind::floor, key.issuer) + std::string(text_of(key.scope));
}

std::string ocsp_age_key(WallSeconds this_update, const FloorKey& key) {
  std::string out = single_key(StateKind::ocsp_age);
  append_number(seconds_of(this_update) ^ (1ULL << 63U), out);
  out += text_of(key.issuer);
  out += text_of(key.scope);
  return out;
}

std::string seen_record_key(const FloorKey& key, std::string_view serial) {
  std::string out;
  out.reserve(1 + 2 * kHashBytes + serial.size());
  out += static_cast<char>(StateKind::seen);
  out += text_of(key.issuer);
  out += text_of(key.scope);
  out += serial;
  return out;
}

std::string manual_record_key(const pki::KeyHash& issuer, std::string_view serial) {
  return issuer_prefix(StateKind::manual, issuer) + std::string(serial);
}

std::string ring_record_key(StateKind ring, std::uint64_t number) {
  std::string out = single_key(ring);
  append_number(number, out);
  return out;
}

std::string refresh_record_key(std::string_view url) {
  return single_key(StateKind::refresh) + std::string(url);
}

std::string issuer_prefix(StateKind kind, const pki::KeyHash& issuer) {
  return single_key(kind) + std::string(text_of(issuer));
}

std::optional<FloorKey> floor_key_of(std::string_view record_key) {
  if (record_key.empty()) return std::nullopt;
  const auto kind = static_cast<StateKind>(record_key.front());
  const std::size_t offset = issuer_offset(kind);
  const std::size_t size = offset + 2 * kHashBytes;
  const bool fits =
      kind == StateKind::seen
          ? record_key.size() >= size
          : (kind == StateKind::floor || kind == StateKind::ocsp_age) && record_key.size() == size;
  if (!fits) return std::nullopt;
  return FloorKey{.issuer = hash_in(record_key.substr(offset)),
                  .scope = hash_in(record_key.substr(offset + kHashBytes))};
}

std::optional<std::string_view> serial_of(std::string_view record_key) {
  if (record_key.empty()) return std::nullopt;
  const auto kind = static_cast<StateKind>(record_key.front());
  if (kind != StateKind::seen && kind != StateKind::manual) return std::nullopt;
  const std::size_t offset = 1 + (kind == StateKind::seen ? 2 : 1) * kHashBytes;
  if (record_key.size() < offset) return std::nullopt;
  return record_key.substr(offset);
}

std::optional<std::uint64_t> ring_number_of(std::string_view record_key) {
  if (record_key.size() != 1 + kNumberBytes) return std::nullopt;
  const auto kind = static_cast<StateKind>(record_key.front());
  if (kind != StateKind::audit && kind != StateKind::decision) return std::nullopt;
  return number_in<std::uint64_t>(record_key.substr(1));
}

std::string describe_key(std::string_view record_key) {
  if (record_key.empty()) return "without a key";
  const auto kind = static_cast<StateKind>(record_key.front());
  std::string out(kind_name(kind));
  if (kind == StateKind::refresh) return out + " of " + std::string(record_key.substr(1));
  if (const auto number = ring_number_of(record_key)) return out + " " + std::to_string(*number);
  const std::size_t offset = issuer_offset(kind);
  const auto part = [&](std::string_view name, std::size_t from, std::size_t length) {
    if (record_key.size() <= from) return;
    out += ", " + std::string(name) + " " + pki::hex(as_bytes(record_key.substr(from, length)));
  };
  part("issuer", offset, kHashBytes);
  const std::size_t behind = offset + kHashBytes;
  if (kind == StateKind::manual) {
    part("serial", behind, std::string_view::npos);
  } else {
    part("scope", behind, kHashBytes);
    part("serial", behind + kHashBytes, std::string_view::npos);
  }
  return out;
}

bool is_storable(WallSeconds time) noexcept {
  constexpr std::chrono::seconds kMin{-62167219200};
  constexpr std::chrono::seconds kMax{253402300799};
  return time.time_since_epoch() >= kMin && time.time_since_epoch() <= kMax;
}

std::string encode_record(std::string_view key, std::string_view content) {
  std::string out;
  out.reserve(1 + content.size() + kChecksumBytes);
  out += kRecordVersion;
  out += content;
  append_number(checksum_of(key, out), out);
  return out;
}

Result<std::string_view> decode_record(std::string_view key, std::string_view record) {
  if (record.size() < 1 + kChecksumBytes) return corrupt(key, "it is too short");
  const std::string_view checked = record.substr(0, record.size() - kChecksumBytes);
  if (number_in<std::uint64_t>(record.substr(checked.size())) != checksum_of(key, checked)) {
    return corrupt(key, "its checksum does not match");
  }
  if (checked.front() != kRecordVersion) {
    return fail(ErrorCode::unsupported, Blame::local,
                "the state record " + describe_key(key) + " was written by a newer revcache");
  }
  return checked.substr(1);
}

std::string encode_floor(std::string_view key, const FloorRecord& floor) {
  std::string content(1, static_cast<char>(floor.kind));
  append_number(seconds_of(floor.floor.this_update), content);
  content += text_of(floor.floor.hash);
  content += floor.floor.number;
  return encode_record(key, content);
}

Result<FloorRecord> decode_floor(std::string_view key, std::string_view record) {
  constexpr std::size_t kFixedBytes = 1 + 8 + kHashBytes;
  const Result<std::string_view> content = decode_record(key, record);
  if (!content) return fail(content.error().code, Blame::local, content.error().detail);
  if (content->size() < kFixedBytes) return corrupt(key, "it is too short");
  const auto kind = static_cast<std::uint8_t>(content->front());
  const auto this_update = time_in(content->substr(1));
  if (kind > static_cast<std::uint8_t>(FloorKind::ocsp)) return corrupt(key, "kind");
  if (!this_update) return corrupt(key, "thisUpdate");
  return FloorRecord{.floor = {.number = std::string(content->substr(kFixedBytes)),
                               .this_update = *this_update,
                               .hash = hash_in(content->substr(9))},
                     .kind = static_cast<FloorKind>(kind)};
}

std::string encode_seen(std::string_view key, const SeenRevocation& seen) {
  std::string content;
  append_number(seconds_of(seen.revoked_at), content);
  content += static_cast<char>(seen.reason);
  return encode_record(key, content);
}

Result<SeenRevocation> decode_seen(std::string_view key, std::string_view record) {
  const Result<std::string_view> content = decode_record(key, record);
  if (!content) return fail(content.error().code, Blame::local, content.error().detail);
  const auto serial = serial_of(key);
  if (!serial) return corrupt(key, "key");
  if (content->size() != 9) return corrupt(key, "length");
  const auto revoked_at = time_in(*content);
  const auto reason = pki::crl_reason(static_cast<std::uint8_t>(content->back()));
  if (!revoked_at) return corrupt(key, "date");
  if (!reason) return corrupt(key, "reason");
  return SeenRevocation{
      .serial = std::string(*serial), .revoked_at = *revoked_at, .reason = *reason};
}

std::string encode_manual(std::string_view key, const ManualRevocation& manual) {
  std::string content;
  append_number(seconds_of(manual.revoked_at), content);
  content += static_cast<char>(manual.reason);
  content += manual.note;
  return encode_record(key, content);
}

Result<ManualRevocation> decode_manual(std::string_view key, std::string_view record) {
  const Result<std::string_view> content = decode_record(key, record);
  if (!content) return fail(content.error().code, Blame::local, content.error().detail);
  const auto serial = serial_of(key);
  if (!serial) return corrupt(key, "key");
  if (content->size() < 9) return corrupt(key, "length");
  const auto revoked_at = time_in(*content);
  const auto reason = pki::crl_reason(static_cast<std::uint8_t>((*content)[8]));
  if (!revoked_at) return corrupt(key, "date");
  if (!reason) return corrupt(key, "reason");
  return ManualRevocation{.issuer = hash_in(key.substr(1)),
                          .serial = std::string(*serial),
                          .revoked_at = *revoked_at,
                          .reason = *reason,
                          .note = std::string(content->substr(9))};
}

std::string encode_time(std::string_view key, WallSeconds time) {
  return encode_number(key, seconds_of(time));
}

Result<WallSeconds> decode_time(std::string_view key, std::string_view record) {
  const Result<std::string_view> content = decode_record(key, record);
  if (!content) return fail(content.error().code, Blame::local, content.error().detail);
  if (content->size() != kNumberBytes) return corrupt(key, "length");
  const auto time = time_in(*content);
  if (!time) return corrupt(key, "time");
  return *time;
}

std::string encode_number(std::string_view key, std::uint64_t number) {
  std::string content;
  append_number(number, content);
  return encode_record(key, content);
}

Result<std::uint64_t> decode_number(std::string_view key, std::string_view record) {
  const Result<std::string_view> content = decode_record(key, record);
  if (!content) return fail(content.error().code, Blame::local, content.error().detail);
  if (content->size() != kNumberBytes) return corrupt(key, "length");
  return number_in<std::uint64_t>(*content);
}

std::string encode_confirmed(std::uint64_t number) {
  std::string out(kConfirmedMagic);
  append_number(kStateFormatVersion, out);
  append_number(number, out);
  append_number(std::uint64_t{XXH3_64bits(out.data(), out.size())}, out);
  return out;
}

Result<std::uint64_t> decode_confirmed(std::string_view bytes) {
  const auto damaged = [](std::string_view why) {
    return fail(ErrorCode::corrupt, Blame::local,
                "the file \"confirmed\" is damaged: " + std::string(why));
  };
  if (bytes.size() < 8 || !bytes.starts_with(kConfirmedMagic))
    return damaged("it begins otherwise");
  const auto version = number_in<std::uint32_t>(bytes.substr(4));
  if (version > kStateFormatVersion) {
    return fail(ErrorCode::unsupported, Blame::local,
                "it has format version " + std::to_string(version) +
                    ", written by a newer revcache; this one knows versions up to " +
                    std::to_string(kStateFormatVersion));
  }
  if (version != kStateFormatVersion) return damaged("version 0");
  if (bytes.size() != kConfirmedBytes) return damaged("length");
  if (number_in<std::uint64_t>(bytes.substr(16)) != XXH3_64bits(bytes.data(), 16)) {
    return damaged("its checksum does not match");
  }
  return number_in<std::uint64_t>(bytes.substr(8));
}

}  // namespace revcache::revocation
