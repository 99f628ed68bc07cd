// Memory for a body that comes piece by piece. Pure.
//
// A string that grows by itself copies all that is there each time its room is used up: of a CRL of
// tens of MiB that is milliseconds, in which the loop has nothing for its other clients. So room
// for a long body is made once. What is not written yet is address space and no memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace revcache::cache {

// What upstream's Content-Length is believed.
inline constexpr std::uint64_t kPromisedRoomBytesMax = std::uint64_t{256} * 1024 * 1024;
// Where there is none, as soon as the body is longer than kPieceBytes.
inline constexpr std::uint64_t kUnknownRoomBytes = std::uint64_t{64} * 1024 * 1024;

// Before the first piece.
void make_room(std::string& body, std::uint64_t promised_bytes);

// `bytes_max`: what the body may be, at most; a piece that exceeds it is appended all the same.
void append_piece(std::string& body, std::string_view piece, std::uint64_t bytes_max);

}  // namespace revcache::cache
