// The bytes that the state store writes (docs/formats.md, "State database"). Pure: any bytes are
// accepted and judged, nothing is trusted before its checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "revocation/state_store.h"

namespace revcache::revocation {

// Of the directory as a whole, in the file `confirmed`.
inline constexpr std::uint32_t kStateFormatVersion = 1;

// --- Keys

enum class StateKind : char {
  clock_floor = 'c',
  floor = 'f',
  ocsp_age = 't',
  seen = 's',
  manual = 'v',
  audit = 'a',
  decision = 'd',
  refresh = 'r',
  issuer = 'i',
  last_write = 'n',
};

std::string single_key(StateKind kind);  // clock_floor, last_write; the prefix of the others
std::string floor_record_key(const FloorKey& key);
std::string ocsp_age_key(WallSeconds this_update, const FloorKey& key);
// The prefix of all revocations of a scope when `serial` is empty.
std::string seen_record_key(const FloorKey& key, std::string_view serial);
std::string manual_record_key(const pki::KeyHash& issuer, std::string_view serial);
// Of the rings, audit and decision: numbers that count up.
std::string ring_record_key(StateKind ring, std::uint64_t number);
std::string refresh_record_key(std::string_view url);
// The records of one issuer: of floor, seen and manual.
std::string issuer_prefix(StateKind kind, const pki::KeyHash& issuer);

// What a key of its kind holds; nullopt when it has another form.
std::optional<FloorKey> floor_key_of(std::string_view record_key);         // floor, ocsp_age, seen
std::optional<std::string_view> serial_of(std::string_view record_key);    // seen, manual
std::optional<std::uint64_t> ring_number_of(std::string_view record_key);  // audit, decision

// "revocation seen 0a1b… (issuer) 2c3d… (scope) 4e5f (serial)": for errors.
std::string describe_key(std::string_view record_key);

// Years 0 to 9999, the only ones that a record may hold.
bool is_storable(WallSeconds time) noexcept;

// --- Records. Each is bound to its key. Decoding fails with corrupt, or with unsupported when a
// newer program wrote it; the detail names the key.

enum class FloorKind : std::uint8_t { crl = 0, ocsp = 1 };
struct FloorRecord {
  Floor floor;
  FloorKind kind = FloorKind::crl;
};

std::string encode_record(std::string_view key, std::string_view content);
Result<std::string_view> decode_record(std::string_view key, std::string_view record);

std::string encode_floor(std::string_view key, const FloorRecord& floor);
Result<FloorRecord> decode_floor(std::string_view key, std::string_view record);
std::string encode_seen(std::string_view key, const SeenRevocation& seen);
Result<SeenRevocation> decode_seen(std::string_view key, std::string_view record);
std::string encode_manual(std::string_view key, const ManualRevocation& manual);
Result<ManualRevocation> decode_manual(std::string_view key, std::string_view record);
std::string encode_time(std::string_view key, WallSeconds time);
Result<WallSeconds> decode_time(std::string_view key, std::string_view record);
std::string encode_number(std::string_view key, std::uint64_t number);
Result<std::uint64_t> decode_number(std::string_view key, std::string_view record);

// --- The file `confirmed`

inline constexpr std::size_t kConfirmedBytes = 24;
std::string encode_confirmed(std::uint64_t number);
Result<std::uint64_t> decode_confirmed(std::string_view bytes);

}  // namespace revcache::revocation
