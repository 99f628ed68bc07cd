// What a freshly signed OCSP response costs beside the bare signature of its key, as `openssl
// speed` measures that: one EVP_PKEY_CTX, used again and again over a digest that is there already.
//
// `share` is the rate of whole responses as a part of the rate of bare signatures; both are
// measured in turns of one run, so that a busy machine slows both. The target is 0.8 or more.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <time.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.h"
#include "pki/certificate_builder.h"
#include "pki/ocsp_response.h"
#include "pki/openssl_ptr.h"
#include "pki/signer.h"

namespace revcache::pki {
namespace {

constexpr WallSeconds kNow = std::chrono::sys_days{std::chrono::year(2026) / 11 / 22};

struct Kind {
  KeyType type;
  SignatureScheme scheme;
  int turn;  // signatures in a row: some milliseconds
};
constexpr Kind kRsa2048{KeyType::rsa2048, SignatureScheme::rsa_sha256, 20};
constexpr Kind kP256{KeyType::p256, SignatureScheme::ecdsa_sha256, 200};

class BenchProof final : public ProofOfGood {};

// A key, once as our signer and once bare.
class Subject {
 public:
  explicit Subject(const Kind& kind) : kind_(kind) {
    const SignerKeyPtr key = SignerKey::generate(kind.type);
    const auto der = self_signed_certificate(
        {.key = key.get(), .scheme = kind.scheme, .common_name = "OCSP signer"}, kNow,
        kNow + std::chrono::days(365));
    CHECK(der.has_value());
    auto certificate = parse_certificate(SharedBytes::copy_of(*der));
    CHECK(certificate.has_value());
    cert_id_ = encode_cert_id(CertIdHash::sha1, **certificate, (*certificate)->serial);
    auto signer = Signer::make({*certificate}, key);
    CHECK(signer.has_value());
    signer_ = *signer;

    const std::string pem = key->private_key_pem();
    const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    key_.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    bare_.reset(EVP_PKEY_CTX_new(key_.get(), nullptr));
    CHECK(EVP_PKEY_sign_init(bare_.get()) == 1);
    CHECK(EVP_PKEY_CTX_set_signature_md(bare_.get(), EVP_sha256()) == 1);
  }

  void sign_bare() {
    std::array<unsigned char, 512> signature{};
    std::size_t length = signature.size();
    CHECK(EVP_PKEY_sign(bare_.get(), signature.data(), &length, digest_.data(), digest_.size()) ==
          1);
    benchmark::DoNotOptimize(signature.data());
  }

  std::string respond() {
    const SingleAnswer answer{.cert_id_der = as_bytes(cert_id_),
                              .status = StatusToSign::good(BenchProof()),
                              .this_update = kNow,
                              .next_update = kNow + std::chrono::hours(1)};
    const auto response = signer_->respond(
        {.produced_at = kNow, .answers = {&answer, 1}, .nonce = std::nullopt}, kind_.scheme);
    CHECK(response.has_value());
    benchmark::DoNotOptimize(response->data());
    return *response;
  }

  // Also the issuer of what it answers for.
  [[nodiscard]] const Certificate& certificate() const { return *signer_->certificate(); }

 private:
  Kind kind_;
  SignerPtr signer_;
  std::string cert_id_;
  EvpPkeyPtr key_;
  EvpPkeyCtxPtr bare_;
  std::array<std::uint8_t, 32> digest_{0x5e, 0xed};
};

template <const Kind& kind>
void bare_signature(benchmark::State& state) {
  Subject subject(kind);
  for (auto _ : state) subject.sign_bare();
  state.SetItemsProcessed(state.iterations());
}

// A response as it comes from a CA's own responder: its form alone, and with the signature.
template <const Kind& kind>
void parsed_response(benchmark::State& state) {
  Subject subject(kind);
  const auto der = SharedBytes::copy_of(subject.respond());
  for (auto _ : state) {
    const auto parsed = parse_ocsp_response(der);
    CHECK(parsed.has_value());
    benchmark::DoNotOptimize(parsed->get());
  }
}

template <const Kind& kind>
void verified_response(benchmark::State& state) {
  Subject subject(kind);
  const auto parsed = parse_ocsp_response(SharedBytes::copy_of(subject.respond()));
  CHECK(parsed.has_value());
  for (auto _ : state) {
    const auto verified = verify_ocsp_response(*parsed, subject.certificate(), {}, kNow, {});
    CHECK(verified.has_value());
    benchmark::DoNotOptimize(verified->get());
  }
}

template <const Kind& kind>
void signed_response(benchmark::State& state) {
  Subject subject(kind);
  for (auto _ : state) subject.respond();
  state.SetItemsProcessed(state.iterations());
}

std::int64_t thread_cpu_ns() {
  timespec time{};
  CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0);
  return (static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000) + time.tv_nsec;
}

template <const Kind& kind>
void response_beside_signature(benchmark::State& state) {
  Subject subject(kind);
  std::int64_t bare_ns = 0;
  std::int64_t whole_ns = 0;
  for (auto _ : state) {
    const auto start = thread_cpu_ns();
    for (int i = 0; i < kind.turn; ++i) subject.sign_bare();
    const auto middle = thread_cpu_ns();
    for (int i = 0; i < kind.turn; ++i) subject.respond();
    whole_ns += thread_cpu_ns() - middle;
    bare_ns += middle - start;
  }
  state.counters["share"] = static_cast<double>(bare_ns) / static_cast<double>(whole_ns);
}

BENCHMARK(bare_signature<kRsa2048>)->Name("ocsp_sign/rsa2048/bare");
BENCHMARK(signed_response<kRsa2048>)->Name("ocsp_sign/rsa2048/response");
BENCHMARK(response_beside_signature<kRsa2048>)->Name("ocsp_sign/rsa2048/beside");
BENCHMARK(parsed_response<kRsa2048>)->Name("ocsp_read/rsa2048/parse");
BENCHMARK(verified_response<kRsa2048>)->Name("ocsp_read/rsa2048/verify");
BENCHMARK(bare_signature<kP256>)->Name("ocsp_sign/p256/bare");
BENCHMARK(signed_response<kP256>)->Name("ocsp_sign/p256/response");
BENCHMARK(response_beside_signature<kP256>)->Name("ocsp_sign/p256/beside");
BENCHMARK(parsed_response<kP256>)->Name("ocsp_read/p256/parse");
BENCHMARK(verified_response<kP256>)->Name("ocsp_read/p256/verify");

}  // namespace
}  // namespace revcache::pki
