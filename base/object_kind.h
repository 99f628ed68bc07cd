// What an object is to us: decides whether it is held until admitted, and labels metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace revcache {

enum class ObjectKind : std::uint8_t { crl, delta_crl, ocsp, aia, other };
inline constexpr std::size_t kObjectKinds = 5;

// The metric label: "crl", "delta_crl", "ocsp", "aia", "other".
constexpr std::string_view to_string(ObjectKind kind) noexcept {
  constexpr std::array<std::string_view, kObjectKinds> kNames{"crl", "delta_crl", "ocsp", "aia",
                                                              "other"};
  return kNames[static_cast<std::size_t>(kind)];
}

// CRL, OCSP and certificate bodies are complete and admitted before the first byte is handed on;
// other bodies may stream.
constexpr bool is_held_until_admitted(ObjectKind kind) noexcept {
  return kind != ObjectKind::other;
}

}  // namespace revcache
