// Cache keys. The key of a GET or HEAD is its normalised URI; that of an OCSP question is the
// responder's origin, the CertID's exact DER and the preferred signature algorithms (SPEC 4). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "http/uri.h"

namespace revcache::cache {

// Keyed 64-bit hash: the seed is drawn once per process, so that nobody can choose collisions.
class KeyHasher {
 public:
  explicit KeyHasher(std::uint64_t seed) noexcept : seed_(seed) {}
  [[nodiscard]] std::uint64_t operator()(std::string_view key) const noexcept;

 private:
  std::uint64_t seed_;
};

// "http://host[:port]", as the OCSP key has it. Points into `uri`.
[[nodiscard]] std::string_view origin_of(const http::Uri& uri) noexcept;

// Overwrites `key`. `origin` is "http://host[:port]" of the normalised URI. Cannot be mistaken for
// a URI key.
void make_ocsp_key(std::string& key, std::string_view origin, ByteView cert_id_der,
                   ByteView preferred_signature_algorithms_der);

// What all keys of that origin begin with; of an empty origin, all OCSP keys.
[[nodiscard]] std::string ocsp_key_prefix(std::string_view origin);

// The CertID in a key that make_ocsp_key() made, or in that of a variant under it; empty when it is
// another key. Points into `key`.
[[nodiscard]] ByteView cert_id_in_ocsp_key(std::string_view key) noexcept;

}  // namespace revcache::cache
