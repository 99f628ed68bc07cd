// What it takes to know which question an OCSP request asks, in both of its forms.
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "base/check.h"
#include "cache/cache_key.h"
#include "pki/ocsp_request.h"

namespace revcache::pki {
namespace {

// As CryptoAPI asks: SHA-1 CertID, one request, no extension.
constexpr std::string_view kGetPath =
    "/ocsp/MEswSTBHMEUwQzAJBgUrDgMCGgUABBRq6ZlVKg0tyhTWLivIt2TTd7HdbAQUpi8iJb9wv6zLx%"
    "2FHvKjl4NnFzd94CCl86AAFNK3yZEeI%3D";

void read_get_form(benchmark::State& state) {
  std::string der;
  for (auto _ : state) {
    const auto prefix = decode_ocsp_get_path(kGetPath, der);
    benchmark::DoNotOptimize(prefix);
  }
}
BENCHMARK(read_get_form);

void read_post_form(benchmark::State& state) {
  std::string der;
  const auto prefix = decode_ocsp_get_path(kGetPath, der);
  if (!prefix) {
    state.SkipWithError("the sample is no OCSP request");
    return;
  }
  std::string key;
  for (auto _ : state) {
    const auto question = parse_ocsp_question(as_bytes(der));
    CHECK(question.has_value());
    cache::make_ocsp_key(key, "http://ocsp.example.com", question->cert_id.der,
                         question->preferred_signature_algorithms);
    benchmark::DoNotOptimize(key.data());
  }
}
BENCHMARK(read_post_form);

}  // namespace
}  // namespace revcache::pki
