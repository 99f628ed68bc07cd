#include "pki/der_writer.h"

#include <algorithm>
#include <array>

namespace revcache::pki {
namespace {

constexpr std::size_t kShortFormMax = 0x7f;
constexpr unsigned kSignBit = 0x80;

// The length octets, shortest form, at the end of `room`.
std::string_view length_octets(std::size_t length, std::array<char, sizeof(length) + 1>& room) {
  std::size_t at = room.size();
  if (length <= kShortFormMax) {
    room[--at] = static_cast<char>(length);
  } else {
    std::size_t count = 0;
    for (; length > 0; length >>= 8U, ++count) room[--at] = static_cast<char>(length & 0xffU);
    room[--at] = static_cast<char>(0x80U | count);
  }
  return {room.data() + at, room.size() - at};
}

}  // namespace

void DerWriter::primitive(Tag tag, ByteView content) {
  std::array<char, sizeof(std::size_t) + 1> room{};
  out_ += static_cast<char>(tag);
  out_ += length_octets(content.size(), room);
  out_ += as_text(content);
}

void DerWriter::boolean(bool value) {
  const std::uint8_t octet = value ? 0xff : 0x00;
  primitive(kBooleanTag, {&octet, 1});
}

void DerWriter::unsigned_integer(ByteView content) {
  while (content.size() > 1 && content.front() == 0) content = content.subspan(1);
  constructed(kIntegerTag, [&] {
    if (content.empty() || content.front() >= kSignBit) out_ += '\0';
    raw(content);
  });
}

void DerWriter::bit_string(ByteView content) {
  constructed(kBitStringTag, [&] {
    out_ += '\0';  // X.690 8.6.2.2: how many bits of the last octet are unused
    raw(content);
  });
}

std::size_t DerWriter::open(Tag tag) {
  out_ += static_cast<char>(tag);
  out_ += '\0';
  return out_.size();
}

void DerWriter::close(std::size_t content_at) {
  std::array<char, sizeof(std::size_t) + 1> room{};
  out_.replace(content_at - 1, 1, length_octets(out_.size() - content_at, room));
}

}  // namespace revcache::pki
