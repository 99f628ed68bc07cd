#include "base/ip_address.h"

#include <algorithm>
#include <cstddef>
#include <span>

namespace revcache {
namespace {

using V4Octets = std::array<std::uint8_t, 4>;
using V6Octets = std::array<std::uint8_t, 16>;

constexpr std::uint8_t kV4Bits = 32;
constexpr std::uint8_t kV6Bits = 128;
constexpr std::uint8_t kMappedBits = 96;  // ::ffff:0:0/96, RFC 4291 2.5.5.2
constexpr V6Octets kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct Block {
  V6Octets base;
  std::uint8_t bits;
};

// The IANA IPv4 special-purpose registry (RFC 6890), multicast and reserved space.
constexpr std::array<Block, 15> kSpecialV4{{
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 4},
    {{240}, 4},
}};

// Parts of 2000::/3 that are no destinations: IETF assignments with Teredo, benchmarking and ORCHID
// (2001::/23), documentation (RFC 3849, RFC 9637).
constexpr std::array<Block, 3> kSpecialV6{{
    {{0x20, 0x01, 0x00, 0x00}, 23},
    {{0x20, 0x01, 0x0d, 0xb8}, 32},
    {{0x3f, 0xff, 0x00}, 20},
}};
constexpr Block kGlobalUnicast{{0x20}, 3};
constexpr Block kSixToFour{{0x20, 0x02}, 16};          // RFC 3056
constexpr Block kNat64{{0x00, 0x64, 0xff, 0x9b}, 96};  // RFC 6052

bool has_prefix(const V6Octets& octets, const V6Octets& prefix, std::uint8_t bits) noexcept {
  const std::size_t whole = bits / 8U;
  if (!std::equal(prefix.begin(), prefix.begin() + static_cast<std::ptrdiff_t>(whole),
                  octets.begin())) {
    return false;
  }
  const unsigned rest = bits % 8U;
  if (rest == 0) return true;
  const unsigned mask = 0xffU << (8U - rest) & 0xffU;
  return (octets[whole] & mask) == (prefix[whole] & mask);
}

bool in_block(const V6Octets& octets, const Block& block) noexcept {
  return has_prefix(octets, block.base, block.bits);
}

bool in_any(const V6Octets& octets, std::span<const Block> blocks) noexcept {
  return std::ranges::any_of(blocks, [&](const Block& b) { return in_block(octets, b); });
}

bool is_special_v4(const V6Octets& octets) noexcept { return in_any(octets, kSpecialV4); }

// The IPv4 address embedded at `offset`.
V6Octets embedded_v4(const V6Octets& octets, std::size_t offset) noexcept {
  V6Octets v4{};
  std::copy_n(octets.begin() + static_cast<std::ptrdiff_t>(offset), 4, v4.begin());
  return v4;
}

// A decimal number without sign or leading zero, at most `max`.
std::optional<std::uint32_t> parse_decimal(std::string_view text, std::uint32_t max) noexcept {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  std::uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (value > max) return std::nullopt;
  return value;
}

std::optional<V4Octets> parse_v4(std::string_view text) noexcept {
  V4Octets octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const std::size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (i + 1 == octets.size())) return std::nullopt;
    const auto value = parse_decimal(text.substr(0, dot), 255);
    if (!value) return std::nullopt;
    octets[i] = static_cast<std::uint8_t>(*value);
    if (dot != std::string_view::npos) text.remove_prefix(dot + 1);
  }
  return octets;
}

std::optional<std::uint16_t> parse_hex_group(std::string_view text) noexcept {
  if (text.empty() || text.size() > 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    value <<= 4U;
    if (c >= '0' && c <= '9') {
      value |= static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value |= static_cast<unsigned>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      value |= static_cast<unsigned>(c - 'A' + 10);
    } else {
      return std::nullopt;
    }
  }
  return static_cast<std::uint16_t>(value);
}

// Groups separated by ":"; only the last one of the whole address may be a dotted quad. Gives how
// many octets were written to `out`.
std::optional<std::size_t> parse_groups(std::string_view text, bool ends_address,
                                        std::span<std::uint8_t> out) noexcept {
  std::size_t written = 0;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    const bool last = colon == std::string_view::npos;
    if (last && ends_address && group.contains('.')) {
      const auto v4 = parse_v4(group);
      if (!v4 || written + v4->size() > out.size()) return std::nullopt;
      std::ranges::copy(*v4, out.begin() + static_cast<std::ptrdiff_t>(written));
      return written + v4->size();
    }
    const auto value = parse_hex_group(group);
    if (!value || written + 2 > out.size()) return std::nullopt;
    out[written++] = static_cast<std::uint8_t>(*value >> 8U);
    out[written++] = static_cast<std::uint8_t>(*value & 0xffU);
    if (last) return written;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;  // a single ":" at the end
  }
  return written;
}

// RFC 4291 2.2, without zone.
std::optional<V6Octets> parse_v6(std::string_view text) noexcept {
  V6Octets octets{};
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    const auto written = parse_groups(text, true, octets);
    if (!written || *written != octets.size()) return std::nullopt;
    return octets;
  }
  V6Octets tail{};
  const auto head_size = parse_groups(text.substr(0, gap), false, octets);
  const auto tail_size = parse_groups(text.substr(gap + 2), true, tail);
  // "::" stands for at least one group.
  if (!head_size || !tail_size || *head_size + *tail_size > octets.size() - 2) {
    return std::nullopt;
  }
  std::copy_n(tail.begin(), *tail_size, octets.end() - static_cast<std::ptrdiff_t>(*tail_size));
  return octets;
}

char* write_decimal(unsigned value, char* out) noexcept {
  std::array<char, 5> digits{};
  std::size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0 && count < digits.size());
  while (count > 0) *out++ = digits[--count];
  return out;
}

char* write_hex(unsigned value, char* out) noexcept {
  constexpr std::string_view kDigits = "0123456789abcdef";
  bool started = false;
  for (unsigned shift = 12;; shift -= 4) {
    const unsigned digit = value >> shift & 0xfU;
    started = started || digit != 0 || shift == 0;
    if (started) *out++ = kDigits[digit];
    if (shift == 0) return out;
  }
}

struct Run {
  std::size_t start = 8;
  std::size_t length = 0;
};

// The leftmost longest run of zero groups, if it has at least two (RFC 5952 4.2).
Run longest_zero_run(const std::array<unsigned, 8>& groups) noexcept {
  Run best;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    Run run{i, 0};
    while (i < groups.size() && groups[i] == 0) {
      ++run.length;
      ++i;
    }
    if (run.length >= 2 && run.length > best.length) best = run;
  }
  return best;
}

char* write_v6(const V6Octets& octets, char* out) noexcept {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = static_cast<unsigned>(octets[2 * i]) << 8U | octets[2 * i + 1];
  }
  const Run gap = longest_zero_run(groups);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == gap.start) {
      *out++ = ':';
      *out++ = ':';
      i += gap.length - 1;
      continue;
    }
    if (i > 0 && i != gap.start + gap.length) *out++ = ':';
    out = write_hex(groups[i], out);
  }
  return out;
}

}  // namespace

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> octets) noexcept {
  IpAddress address;
  std::ranges::copy(octets, address.octets_.begin());
  return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& octets) noexcept {
  IpAddress address;
  if (has_prefix(octets, kMappedPrefix, kMappedBits)) {
    address.octets_ = embedded_v4(octets, 12);
    return address;
  }
  address.octets_ = octets;
  address.is_v4_ = false;
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) noexcept {
  if (text.contains(':')) {
    const auto octets = parse_v6(text);
    if (!octets) return std::nullopt;
    return v6(*octets);
  }
  const auto octets = parse_v4(text);
  if (!octets) return std::nullopt;
  return v4(*octets);
}

bool IpAddress::is_private() const noexcept {
  if (is_v4_) return is_special_v4(octets_);
  if (in_block(octets_, kNat64)) return is_special_v4(embedded_v4(octets_, 12));
  if (in_block(octets_, kSixToFour)) return is_special_v4(embedded_v4(octets_, 2));
  return !in_block(octets_, kGlobalUnicast) || in_any(octets_, kSpecialV6);
}

bool IpAddress::is_loopback() const noexcept {
  if (is_v4_) return octets_[0] == 127;
  V6Octets loopback{};
  loopback.back() = 1;
  return octets_ == loopback;
}

std::size_t IpAddress::write_text(char* out) const noexcept {
  char* end = out;
  if (!is_v4_) {
    end = write_v6(octets_, end);
  } else {
    for (std::size_t i = 0; i < 4; ++i) {
      if (i > 0) *end++ = '.';
      end = write_decimal(octets_[i], end);
    }
  }
  return static_cast<std::size_t>(end - out);
}

std::string IpAddress::to_string() const {
  std::array<char, kTextBytesMax> text{};
  return {text.data(), write_text(text.data())};
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  const std::string_view address_text = text.substr(0, slash);
  const bool written_as_v6 = address_text.contains(':');
  const auto address = IpAddress::parse(address_text);
  if (!address) return std::nullopt;

  std::uint32_t bits = written_as_v6 ? kV6Bits : kV4Bits;
  if (slash != std::string_view::npos) {
    const auto parsed = parse_decimal(text.substr(slash + 1), bits);
    if (!parsed) return std::nullopt;
    bits = *parsed;
  }
  if (written_as_v6 && address->is_v4()) {
    // An IPv4-mapped block is the IPv4 block that it means; a wider one would be ambiguous.
    if (bits < kMappedBits) return std::nullopt;
    bits -= kMappedBits;
  }

  IpNetwork network;
  network.base_ = *address;
  network.prefix_length_ = static_cast<std::uint8_t>(bits);
  const std::size_t octet_count = address->is_v4() ? 4 : 16;
  for (std::size_t bit = bits; bit < octet_count * 8; ++bit) {
    if ((address->octets()[bit / 8] >> (7 - bit % 8) & 1U) != 0) return std::nullopt;
  }
  return network;
}

bool IpNetwork::contains(const IpAddress& address) const noexcept {
  return address.is_v4() == base_.is_v4() &&
         has_prefix(address.octets(), base_.octets(), prefix_length_);
}

std::string IpNetwork::to_string() const {
  return base_.to_string() + "/" + std::to_string(prefix_length_);
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) noexcept {
  const bool bracketed = text.starts_with('[');
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (bracketed) {
    if (host.size() < 2 || !host.ends_with(']')) return std::nullopt;
    host = host.substr(1, host.size() - 2);
  }
  if (host.contains(':') != bracketed) return std::nullopt;
  const auto ip = IpAddress::parse(host);
  const auto port = parse_decimal(text.substr(colon + 1), 65535);
  if (!ip || !port) return std::nullopt;
  return SocketAddress{*ip, static_cast<std::uint16_t>(*port)};
}

std::string SocketAddress::to_string() const {
  const std::string host = ip.to_string();
  return (ip.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port);
}

}  // namespace revcache
