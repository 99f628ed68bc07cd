// What memory itself takes, in huge pages: the floor under a look-up in an index of a CRL, which
// reads a line of the index and, where that names an entry, then the entry in the DER.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "base/huge_pages.h"

namespace revcache {
namespace {

constexpr std::size_t kLineWords = 8;
constexpr std::size_t kMiB = std::size_t{1024} * 1024;

// Random words, of which each cache line's first tells where to go on.
std::vector<std::uint64_t> random_words(std::size_t bytes) {
  std::vector<std::uint64_t> words;
  words.reserve(bytes / sizeof(std::uint64_t));
  prefer_huge_pages(words.data(), bytes);
  std::mt19937_64 random(bytes);
  while (words.size() < words.capacity()) words.push_back(random());
  return words;
}

// A line of `words` that `choice` leads to.
std::uint64_t line_at(const std::vector<std::uint64_t>& words, std::uint64_t choice) {
  const std::uint64_t lines = words.size() / kLineWords;
  return words[((choice >> 32U) * lines >> 32U) * kLineWords];
}

// splitmix64's step: the next choice needs what was read.
std::uint64_t mixed(std::uint64_t choice) {
  choice = (choice ^ choice >> 30U) * 0xbf58476d1ce4e5b9U;
  return choice ^ choice >> 27U;
}

// Argument: MiB.
void memory_read_chained(benchmark::State& state) {
  const auto words = random_words(static_cast<std::size_t>(state.range(0)) * kMiB);
  std::uint64_t choice = 1;
  std::uint64_t step = 0;
  for (auto _ : state) choice = mixed(line_at(words, choice) + ++step);
  benchmark::DoNotOptimize(choice);
}
BENCHMARK(memory_read_chained)->Arg(1)->Arg(7)->Arg(48);

// Arguments: MiB read first, MiB read where that leads to.
void memory_two_reads_chained(benchmark::State& state) {
  const auto first = random_words(static_cast<std::size_t>(state.range(0)) * kMiB);
  const auto second = random_words(static_cast<std::size_t>(state.range(1)) * kMiB);
  std::uint64_t choice = 1;
  std::uint64_t step = 0;
  for (auto _ : state) {
    const std::uint64_t there = mixed(line_at(first, choice) + ++step);
    choice = mixed(line_at(second, there) + step);
  }
  benchmark::DoNotOptimize(choice);
}
BENCHMARK(memory_two_reads_chained)->Args({7, 48});

}  // namespace
}  // namespace revcache
