#include "cache/body_room.h"

#include <algorithm>

#include "cache/tier.h"

namespace revcache::cache {

void make_room(std::string& body, std::uint64_t promised_bytes) {
  body.reserve(std::min(promised_bytes, kPromisedRoomBytesMax));
}

void append_piece(std::string& body, std::string_view piece, std::uint64_t bytes_max) {
  const std::uint64_t bytes = body.size() + piece.size();
  if (bytes > kPieceBytes && bytes > body.capacity()) {
    body.reserve(std::min(std::max(kUnknownRoomBytes, 2 * bytes), std::max(bytes, bytes_max)));
  }
  body.append(piece);
}

}  // namespace revcache::cache
