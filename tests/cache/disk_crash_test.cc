// kill -9 at any moment: what was confirmed is there afterwards, what was not is whole or absent.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "cache/disk_record.h"
#include "cache/tier.h"
#include "tests/cache/disk_fixture.h"

namespace revcache::cache {
namespace {

using testing::DiskStoreTest;
using testing::numbered_entry;
using testing::numbered_key;

constexpr std::uint64_t kKeys = 24;

// What the child tells before and after each change. Version 0: removed.
struct Report {
  std::uint64_t number = 0;
  std::uint64_t version = 0;
  bool confirmed = false;
};

// Some within a head, some in one piece, some in several; the same for each version of a key.
std::size_t size_of(std::uint64_t number) {
  constexpr std::array<std::size_t, 4> kSizes{500, kInlineBodyBytesMax + 1, kPieceBytes - 3,
                                              3 * kPieceBytes + 17};
  return kSizes[number % kSizes.size()];
}

void tell(int pipe_end, const Report& report) {
  if (::write(pipe_end, &report, sizeof(report)) != sizeof(report)) _exit(3);
}

void change_entries(DiskStore& store, std::uint64_t seed, std::uint64_t times, int pipe_end) {
  std::mt19937_64 random(seed);
  for (std::uint64_t i = 0; i < times; ++i) {
    const std::uint64_t version = seed * 1000000 + 1 + i;
    const std::uint64_t number = random() % kKeys;
    const bool removes = random() % 8 == 0;
    Report report{.number = number, .version = removes ? 0 : version, .confirmed = false};
    tell(pipe_end, report);
    const auto done = removes ? store.remove(numbered_key(number))
                              : store.write(*numbered_entry(number, size_of(number), version));
    if (!done && done.error().code != ErrorCode::overloaded) _exit(4);
    if (!done) continue;
    report.confirmed = true;
    tell(pipe_end, report);
  }
}

// The versions that each key may have: the last one confirmed, or one begun after it.
class Expectation {
 public:
  void heard(const Report& report) {
    std::vector<std::uint64_t>& possible = possible_[report.number];
    if (possible.empty()) possible.push_back(0);
    if (report.confirmed) possible.clear();
    possible.push_back(report.version);
  }
  void expect_in(DiskStore& store) {
    for (std::uint64_t number = 0; number < kKeys; ++number) {
      const auto found = store.read(numbered_key(number));
      ASSERT_TRUE(found) << found.error().detail;
      auto& possible = possible_[number];
      if (possible.empty()) possible.push_back(0);
      const auto is_it = [&](std::uint64_t version) {
        if (version == 0 || *found == nullptr) return version == 0 && *found == nullptr;
        const auto expected = numbered_entry(number, size_of(number), version);
        return (*found)->body.text() == expected->body.text() &&
               (*found)->rendered_head == expected->rendered_head;
      };
      const auto match = std::find_if(possible.begin(), possible.end(), is_it);
      ASSERT_NE(match, possible.end())
          << "entry " << number << (*found == nullptr ? " is lost" : " is damaged or too old");
      possible = {*match};
    }
  }

 private:
  std::map<std::uint64_t, std::vector<std::uint64_t>> possible_;
};

// The child is this program again, since RocksDB's threads do not survive a fork: it runs one test,
// which finds its orders in the environment.
constexpr const char* kChildTest = "--gtest_filter=DiskCrashTest.ChangesAreTold";
constexpr const char* kOrders = "REVCACHE_TEST_CRASH_CHILD";

class DiskCrashTest : public DiskStoreTest {
 protected:
  // Lets a child change entries until it has told `reports` times, and kills it.
  void run_and_kill(std::uint64_t seed, std::size_t reports, Expectation& expectation) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    std::string orders = std::string(kOrders) + "=" + std::to_string(seed) + " " +
                         std::to_string(ends[1]) + " " + std::to_string(options_.bytes_max) + " " +
                         options_.directory;
    std::string program = "/proc/self/exe";
    std::string filter = kChildTest;
    std::string quiet = "--gtest_brief=1";
    const std::array<char*, 4> arguments{program.data(), filter.data(), quiet.data(), nullptr};
    const std::array<char*, 2> environment{orders.data(), nullptr};
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      execve(program.c_str(), arguments.data(), environment.data());
      _exit(2);
    }
    ::close(ends[1]);
    Report report;
    std::size_t heard = 0;
    // After the kill as well: what was told before it counts.
    while (::read(ends[0], &report, sizeof(report)) == sizeof(report)) {
      expectation.heard(report);
      if (++heard == reports) kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended with " << WEXITSTATUS(status);
    ASSERT_EQ(WTERMSIG(status), SIGKILL);
    ASSERT_GE(heard, reports);
  }
};

TEST_F(DiskCrashTest, ChangesAreTold) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  if (const char* const orders = std::getenv(kOrders); orders != nullptr) {
    std::istringstream in(orders);
    std::uint64_t seed = 0;
    int pipe_end = -1;
    in >> seed >> pipe_end >> options_.bytes_max >> std::ws;
    std::getline(in, options_.directory);
    open();
    change_entries(*store_, seed, UINT64_MAX, pipe_end);
  }
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  open();
  change_entries(*store_, 1, 40, ends[1]);
  ::close(ends[1]);
  Expectation expectation;
  Report report;
  std::size_t heard = 0;
  for (; ::read(ends[0], &report, sizeof(report)) == sizeof(report); ++heard) {
    expectation.heard(report);
  }
  ::close(ends[0]);
  EXPECT_EQ(heard, 80U);
  expectation.expect_in(*store_);
}

TEST_F(DiskCrashTest, AnyMomentOfAKillLeavesAWarmAndUndamagedCache) {
  options_.bytes_max = 256 * kMebibyte;  // nothing is evicted
  Expectation expectation;
  std::mt19937_64 random(20260115);
  for (std::uint64_t round = 1; round <= 20; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    run_and_kill(round, 1 + random() % 60, expectation);
    if (HasFatalFailure()) return;
    open();
    expectation.expect_in(*store_);
    if (HasFatalFailure()) return;
    EXPECT_EQ(store_->stats().corrupt_entries, 0U);
    store_.reset();
  }
  EXPECT_EQ(log_.count("cache database set aside"), 0U);
}

TEST_F(DiskCrashTest, AKillDuringEvictionLeavesNothingDamaged) {
  options_.bytes_max = 16 * kMebibyte;
  std::mt19937_64 random(7);
  for (std::uint64_t round = 1; round <= 5; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Expectation ignored;  // anything may have been evicted
    run_and_kill(round, 40 + random() % 40, ignored);
    if (HasFatalFailure()) return;
    open();
    for (std::uint64_t number = 0; number < kKeys; ++number) {
      const auto found = store_->read(numbered_key(number));
      ASSERT_TRUE(found) << found.error().detail;
    }
    EXPECT_EQ(store_->stats().corrupt_entries, 0U);
    store_.reset();
  }
  EXPECT_EQ(log_.count("cache database set aside"), 0U);
}

}  // namespace
}  // namespace revcache::cache
