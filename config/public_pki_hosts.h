// Hosts that publish CRLs, answer OCSP or hand out CA certificates for the public, and Microsoft
// Cloud PKI: the destinations that are allowed when the configuration names none.
#pragma once

#include <span>
#include <string_view>

namespace revcache::config {

// Destination patterns, grouped by operator. Static storage.
std::span<const std::string_view> public_pki_hosts() noexcept;

}  // namespace revcache::config
