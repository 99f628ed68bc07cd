#include "base/base64.h"

#include <cstdint>

namespace revcache {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr unsigned kSextet = 6;

}  // namespace

std::string base64(ByteView octets) {
  std::string out;
  out.reserve((octets.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t octet : octets) {
    bits = bits << 8U | octet;
    held += 8;
    for (; held >= kSextet; held -= kSextet) out += kAlphabet[bits >> (held - kSextet) & 63U];
  }
  if (held > 0) out += kAlphabet[bits << (kSextet - held) & 63U];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

std::string base64_in_path(ByteView octets) {
  std::string out;
  for (const char c : base64(octets)) {
    if (c == '+') {
      out += "%2B";
    } else if (c == '/') {
      out += "%2F";
    } else if (c == '=') {
      out += "%3D";
    } else {
      out += c;
    }
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string_view digits = text;
  for (int i = 0; i < 2 && digits.ends_with('='); ++i) digits.remove_suffix(1);
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : digits) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << kSextet | static_cast<std::uint32_t>(digit);
    held += kSextet;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(static_cast<unsigned char>(bits >> held));
  }
  const bool has_rest = (bits & ((1U << held) - 1)) != 0;
  if (has_rest || held >= kSextet) return std::nullopt;
  return out;
}

}  // namespace revcache
