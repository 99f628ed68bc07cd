// A large CRL: from its bytes to the first answer, ours beside OpenSSL's, and what a look-up costs.
// CRLs are made in memory and signed with a key of 2048 bits. `peak` is the step's peak memory, the
// DER included, as a multiple of the DER.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/huge_pages.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/openssl_ptr.h"

namespace revcache::pki {
namespace {

constexpr std::uint64_t kHashSeed = 0x5eed;
constexpr std::string_view kName = "\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04Root";
constexpr std::string_view kAlgorithm(
    "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00", 15);
const WallTime kNow = std::chrono::sys_days{std::chrono::year(2026) / 11 / 22};

std::string element(std::uint8_t tag, std::string_view content) {
  std::string length;
  for (std::size_t rest = content.size(); rest > 0; rest >>= 8U) {
    length.insert(length.begin(), static_cast<char>(rest & 0xffU));
  }
  std::string whole(1, static_cast<char>(tag));
  if (content.size() >= 0x80) whole += static_cast<char>(0x80U | length.size());
  whole += content.empty() ? std::string(1, '\0') : length;
  whole += content;
  return whole;
}

std::string signed_object(std::string_view tbs, EVP_PKEY* key) {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1);
  std::array<std::uint8_t, 512> octets{};
  std::size_t length = octets.size();
  CHECK(EVP_DigestSign(context.get(), octets.data(), &length,
                       reinterpret_cast<const std::uint8_t*>(tbs.data()), tbs.size()) == 1);
  std::string content(tbs);
  content += kAlgorithm;
  content += element(0x03, '\0' + std::string(as_text({octets.data(), length})));
  return element(0x30, content);
}

struct Issuer {
  EvpPkeyPtr key;
  CertificatePtr certificate;
};

const Issuer& issuer() {
  static const Issuer made = [] {
    EvpPkeyPtr key(EVP_RSA_gen(2048));
    std::uint8_t* spki = nullptr;
    const int length = i2d_PUBKEY(key.get(), &spki);
    CHECK(length > 0);
    std::string tbs = element(0xa0, "\x02\x01\x02") + element(0x02, "\x01");
    tbs += kAlgorithm;
    tbs += kName;
    tbs += element(0x30, element(0x17, "260101000000Z") + element(0x17, "360101000000Z"));
    tbs += kName;
    tbs += as_text({spki, static_cast<std::size_t>(length)});
    OPENSSL_free(spki);
    const std::string der = signed_object(element(0x30, tbs), key.get());
    auto certificate = parse_certificate(SharedBytes::copy_of(der));
    CHECK(certificate.has_value());
    return Issuer{std::move(key), *certificate};
  }();
  return made;
}

// Content octets of a positive INTEGER of 128 bits, as large public CAs draw them.
std::string serial(std::mt19937_64& random) {
  std::string octets;
  for (int i = 0; i < 16; ++i) octets += static_cast<char>(random() & 0xffU);
  if (octets[0] == 0) octets[0] = 1;
  if ((static_cast<unsigned char>(octets[0]) & 0x80U) != 0) octets.insert(octets.begin(), '\0');
  return octets;
}

std::string date(std::mt19937_64& random) {
  std::array<char, 16> text{};
  const auto pick = [&](unsigned first, unsigned count) {
    return static_cast<unsigned>(first + random() % count);
  };
  const int length =
      std::snprintf(text.data(), text.size(), "%02u%02u%02u%02u%02u%02uZ", pick(20, 6), pick(1, 12),
                    pick(1, 28), pick(0, 24), pick(0, 60), pick(0, 60));
  return {text.data(), static_cast<std::size_t>(length)};
}

struct Sample {
  SharedBytes der;
  std::vector<std::string> serials;
};

const Sample& sample(std::size_t entries) {
  static std::map<std::size_t, Sample> made;
  const auto known = made.find(entries);
  if (known != made.end()) return known->second;
  std::mt19937_64 random(entries);
  Sample result;
  std::string list;
  for (std::size_t i = 0; i < entries; ++i) {
    result.serials.push_back(serial(random));
    std::string reason("\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01");
    reason += static_cast<char>(1 + random() % 5);
    list +=
        element(0x30, element(0x02, result.serials.back()) + element(0x17, date(random)) + reason);
  }
  std::string tbs = element(0x02, "\x01");
  tbs += kAlgorithm;
  tbs += kName;
  tbs += element(0x17, "261121000000Z") + element(0x17, "261128000000Z");
  tbs += element(0x30, list);
  // cRLNumber
  tbs += element(0xa0, element(0x30, element(0x30, "\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x07")));
  const std::string der = signed_object(element(0x30, tbs), issuer().key.get());
  // In huge pages from the start: the best case. Of a body that came over the network the system
  // has to put them together first (base/huge_pages.h).
  std::string kept;
  kept.reserve(der.size());
  prefer_huge_pages(kept.data(), kept.capacity());
  kept += der;
  result.der = SharedBytes::take(std::move(kept));
  return made.emplace(entries, std::move(result)).first->second;
}

// A line of /proc/self/status in bytes: VmRSS, VmHWM.
std::size_t status_bytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t kilobytes = 0;
    if (word == field + ":" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

// The peak of resident memory since it was made.
class PeakMemory {
 public:
  PeakMemory() {
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << "5";  // VmHWM starts anew
    before_ = status_bytes("VmRSS");
  }
  [[nodiscard]] double beyond_start() const {
    return static_cast<double>(status_bytes("VmHWM")) - static_cast<double>(before_);
  }

 private:
  std::size_t before_ = 0;
};

void report(benchmark::State& state, const Sample& crl, double extra_bytes) {
  const auto der_bytes = static_cast<double>(crl.der.size());
  state.counters["peak"] = (der_bytes + extra_bytes) / der_bytes;
  state.counters["der_MiB"] = der_bytes / (1024 * 1024);
}

VerifiedCrlPtr verified(const Sample& crl) {
  auto parsed = parse_crl(crl.der, kHashSeed);
  CHECK(parsed.has_value());
  auto evidence = verify_crl(*std::move(parsed), issuer().certificate, kNow, {});
  CHECK(evidence.has_value());
  return *std::move(evidence);
}

void crl_to_first_answer_ours(benchmark::State& state) {
  const auto entries = static_cast<std::size_t>(state.range(0));
  const Sample& crl = sample(entries);
  double peak = 0;
  std::size_t index_bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const PeakMemory memory;
    state.ResumeTiming();
    const auto evidence = verified(crl);
    benchmark::DoNotOptimize(find_combined(*evidence, nullptr, as_bytes(crl.serials[0])));
    state.PauseTiming();
    peak = std::max(peak, memory.beyond_start());
    index_bytes = evidence->crl().index_bytes();
    state.ResumeTiming();
  }
  report(state, crl, peak);
  state.counters["index_bytes_per_entry"] =
      static_cast<double>(index_bytes) / static_cast<double>(entries);
}
BENCHMARK(crl_to_first_answer_ours)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void crl_parse_and_index_ours(benchmark::State& state) {
  const Sample& crl = sample(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(parse_crl(crl.der, kHashSeed));
}
BENCHMARK(crl_parse_and_index_ours)
    ->Arg(1'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond);

void crl_sha256_of_its_bytes(benchmark::State& state) {
  const Sample& crl = sample(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(sha256(crl.der.bytes()));
}
BENCHMARK(crl_sha256_of_its_bytes)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void crl_to_first_answer_openssl(benchmark::State& state) {
  const Sample& crl = sample(static_cast<std::size_t>(state.range(0)));
  const auto key = PublicKey::parse(issuer().certificate->spki);
  const std::string& wanted = crl.serials[0];
  const BignumPtr number(BN_bin2bn(reinterpret_cast<const unsigned char*>(wanted.data()),
                                   static_cast<int>(wanted.size()), nullptr));
  const std::unique_ptr<ASN1_INTEGER, FreeWith<ASN1_INTEGER_free>> integer(
      BN_to_ASN1_INTEGER(number.get(), nullptr));
  double peak = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const PeakMemory memory;
    state.ResumeTiming();
    const std::uint8_t* at = crl.der.bytes().data();
    X509CrlPtr parsed(d2i_X509_CRL(nullptr, &at, static_cast<long>(crl.der.size())));
    CHECK(X509_CRL_verify(parsed.get(), key->get()) == 1);
    X509_REVOKED* entry = nullptr;
    CHECK(X509_CRL_get0_by_serial(parsed.get(), &entry, integer.get()) == 1);
    state.PauseTiming();
    peak = std::max(peak, memory.beyond_start());
    parsed.reset();
    state.ResumeTiming();
  }
  report(state, crl, peak);
}
BENCHMARK(crl_to_first_answer_openssl)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

// How a look-up follows the one before.
enum class Order : std::uint8_t {
  free,     // as in a loop that has many to do: the processor begins the next while it still waits
  chained,  // only when the answer is there: what one caller waits
};

// `changed`: 0 looks for serials that are listed, in random order; else for serials that are not.
// A million different ones come by before one comes again, and they touch all of the index and the
// DER, 53 MiB: no cache here keeps that. bench/micro/memory_bench.cc: what memory alone takes.
template <Order order>
void look_up(benchmark::State& state, std::uint8_t changed) {
  const Sample& crl = sample(static_cast<std::size_t>(state.range(0)));
  const auto evidence = verified(crl);
  std::mt19937_64 random(7);
  // Side by side, so that memory is waited for in the look-up only.
  struct Wanted {
    std::array<std::uint8_t, 24> octets;
    std::size_t size;
  };
  std::vector<Wanted> wanted(std::size_t{1} << 20U);
  for (Wanted& one : wanted) {
    const std::string& listed = crl.serials[random() % crl.serials.size()];
    one.size = listed.size();
    std::ranges::copy(as_bytes(listed), one.octets.begin());
    one.octets[one.size - 1] ^= changed;
  }
  std::size_t next = 0;
  std::size_t found = 0;
  for (auto _ : state) {
    const Wanted& one = wanted[next];
    const auto entry = find_combined(*evidence, nullptr, {one.octets.data(), one.size});
    std::size_t depends = static_cast<std::size_t>(entry.has_value());
    found += depends;
    if (entry) depends += static_cast<std::size_t>(entry->revoked_at.time_since_epoch().count());
    ++next;
    // Adds 0, which only the answer tells.
    if constexpr (order == Order::chained) next += depends >> 63U;
    next %= wanted.size();
  }
  CHECK((changed == 0) == (found > 0));
}

void crl_look_up_hit(benchmark::State& state) { look_up<Order::free>(state, 0); }
BENCHMARK(crl_look_up_hit)->Arg(1'000)->Arg(1'000'000);

void crl_look_up_hit_chained(benchmark::State& state) { look_up<Order::chained>(state, 0); }
BENCHMARK(crl_look_up_hit_chained)->Arg(1'000)->Arg(1'000'000);

void crl_look_up_miss(benchmark::State& state) { look_up<Order::free>(state, 0xff); }
BENCHMARK(crl_look_up_miss)->Arg(1'000)->Arg(1'000'000);

void crl_look_up_miss_chained(benchmark::State& state) { look_up<Order::chained>(state, 0xff); }
BENCHMARK(crl_look_up_miss_chained)->Arg(1'000)->Arg(1'000'000);

}  // namespace
}  // namespace revcache::pki
