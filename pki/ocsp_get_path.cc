// GET form of an OCSP request (RFC 6960 A.1): {url}/{url-encoding of base-64 encoding of the DER}.
// What is seen in the wild: "+", "/" and "=" raw or percent-encoded, no padding, the URL-safe
// alphabet. A raw "/" may belong to the base64 or to the path before it, so every "/" is a
// candidate, the last one first.
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "pki/ocsp_request.h"

namespace revcache::pki {
namespace {

constexpr std::uint8_t kNoSextet = 0xff;
// Suffixes that look like an OCSPRequest from their first octets and are decoded: a bound on what
// one path can cost. By chance one in some thousand candidates looks so.
constexpr unsigned kDecodingsMax = 8;
constexpr std::size_t kPaddingMax = 2;

constexpr std::array<std::uint8_t, 256> make_alphabet() noexcept {
  constexpr std::string_view kStandard =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::uint8_t, 256> table{};
  table.fill(kNoSextet);
  for (std::size_t i = 0; i < kStandard.size(); ++i) {
    table[static_cast<unsigned char>(kStandard[i])] = static_cast<std::uint8_t>(i);
  }
  table['-'] = 62;  // RFC 4648 section 5
  table['_'] = 63;
  return table;
}
constexpr std::array<std::uint8_t, 256> kAlphabet = make_alphabet();

constexpr int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// One character of a path, percent-decoded.
struct Character {
  char value = 0;
  std::size_t size = 1;  // octets of the path it stands for
};

// The character that ends at `path`'s end. "%" is no character of base64, so looking for it two
// octets back cannot misread anything.
Character last_character(std::string_view path) noexcept {
  if (path.size() >= 3 && path[path.size() - 3] == '%') {
    const int high = hex_digit(path[path.size() - 2]);
    const int low = hex_digit(path[path.size() - 1]);
    if (high >= 0 && low >= 0) return {static_cast<char>(high * 16 + low), 3};
  }
  return {path.back(), 1};
}

// Sextets of a suffix, one an octet.
using Sextets = std::span<const std::uint8_t>;

std::size_t octets_in(std::size_t sextets) noexcept { return sextets * 6 / 8; }

// Decodes the first octets, at most out.size(). Gives how many.
std::size_t decode(Sextets sextets, std::span<char> out) noexcept {
  std::size_t written = 0;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::uint8_t sextet : sextets) {
    bits = bits << 6U | sextet;
    count += 6;
    if (count < 8) continue;
    if (written == out.size()) break;
    count -= 8;
    out[written++] = static_cast<char>(bits >> count & 0xffU);
  }
  return written;
}

// True if these are as many as a SEQUENCE that begins so would have.
bool looks_like_der(Sextets sextets, std::size_t padding) noexcept {
  if (sextets.size() < 8 || sextets.size() % 4 == 1) return false;
  if (padding != 0 && (sextets.size() + padding) % 4 != 0) return false;
  std::array<char, 4> head{};
  decode(sextets, head);
  const auto at = [&](std::size_t i) {
    return static_cast<std::size_t>(as_bytes({&head[i], 1})[0]);
  };
  if (at(0) != 0x30) return false;
  std::size_t size = at(1) + 2;
  if (at(1) == 0x81) size = at(2) + 3;
  if (at(1) == 0x82) size = (at(2) << 8U | at(3)) + 4;
  return size == octets_in(sextets.size());
}

// Gives how many "=" there were; more than kPaddingMax need not be counted.
std::size_t remove_padding(std::string_view& path) noexcept {
  std::size_t padding = 0;
  while (padding <= kPaddingMax && !path.empty()) {
    const Character last = last_character(path);
    if (last.value != '=') break;
    ++padding;
    path.remove_suffix(last.size);
  }
  return padding;
}

// What is asked if `sextets` are one OCSPRequest; then `der` holds it. `der` is large enough for
// both.
std::optional<OcspQuestion> decode_request(Sextets sextets, std::string& der) {
  const std::size_t size = decode(sextets, {der.data(), octets_in(sextets.size())});
  auto question = parse_ocsp_question(as_bytes(std::string_view(der).substr(0, size)));
  if (!question) return std::nullopt;
  der.resize(size);  // stays where it is: the question's views hold
  return *question;
}

}  // namespace

std::optional<OcspGetPath> decode_ocsp_get_path(std::string_view path, std::string& der) {
  const std::size_t padding = remove_padding(path);
  if (padding > kPaddingMax) return std::nullopt;

  // Sextets fill the upper half of `der` from its end; decoded octets go to the lower half.
  const std::size_t room = std::min(path.size(), kOcspRequestBytesMax * 4 / 3 + 3);
  der.resize(2 * room);
  std::size_t first = der.size();
  unsigned decodings = 0;
  while (!path.empty()) {
    const Sextets sextets = as_bytes(std::string_view(der).substr(first));
    const bool is_candidate = path.back() == '/' && looks_like_der(sextets, padding);
    if (is_candidate) {
      if (const auto question = decode_request(sextets, der)) {
        return OcspGetPath{.prefix = path.size(), .question = *question};
      }
      if (++decodings == kDecodingsMax) return std::nullopt;
    }
    const Character last = last_character(path);
    const std::uint8_t sextet = kAlphabet[static_cast<unsigned char>(last.value)];
    if (sextet == kNoSextet || first == der.size() - room) return std::nullopt;
    der[--first] = static_cast<char>(sextet);
    path.remove_suffix(last.size);
  }
  return std::nullopt;
}

}  // namespace revcache::pki
