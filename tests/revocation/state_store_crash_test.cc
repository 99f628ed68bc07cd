// kill -9 at any moment: what was confirmed is there afterwards, and the database opens.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/revocation/state_fixture.h"

namespace revcache::revocation {
namespace {

using testing::at;
using testing::expect_ok;
using testing::floor_number;
using testing::key_number;
using testing::manual_number;
using testing::seen_in;
using testing::seen_number;
using testing::serial_number;
using testing::StateStoreTest;

const FloorKey kScope = key_number(1, 1);
constexpr std::uint64_t kManualNumbers = 8;
constexpr std::uint64_t kLargeEvery = 5;
constexpr std::uint64_t kLargeEntries = 6000;  // more than one batch

// What the child tells before and after each change; `step` counts up over all rounds.
struct Report {
  std::uint64_t step = 0;
  bool confirmed = false;
};

void tell(int pipe_end, const Report& report) {
  if (::write(pipe_end, &report, sizeof(report)) != sizeof(report)) _exit(3);
}

// The revocations of the CRL that comes with a step: itself, and a large part now and then.
std::vector<SeenRevocation> additions(std::uint64_t step) {
  std::vector<SeenRevocation> added{seen_number(step)};
  if (step % kLargeEvery != 0) return added;
  for (std::uint64_t i = 0; i < kLargeEntries; ++i) added.push_back(seen_number((step << 32U) + i));
  return added;
}

bool is_revoked_manually(std::uint64_t step) { return step / kManualNumbers % 2 == 0; }

// One step: a CRL that lifts what the one before it added, the kill switch on or off, the clock.
Result<void> change(StateStore& store, std::uint64_t step) {
  const std::vector<std::string> lifted{serial_number(step - 1)};
  auto done = store.accept_crl(kScope, floor_number(step), additions(step), lifted);
  if (!done) return done;
  const ManualRevocation manual = manual_number(step % kManualNumbers);
  if (is_revoked_manually(step)) {
    done = store.revoke(manual);
  } else if (auto lifts = store.unrevoke(manual.issuer, manual.serial); !lifts) {
    done = fail(std::move(lifts));
  }
  if (!done) return done;
  done = store.append_audit(std::to_string(step), false);
  if (!done) return done;
  return store.raise_clock_floor(at(static_cast<std::int64_t>(step)));
}

void change_for_ever(StateStore& store, std::uint64_t first_step, int pipe_end) {
  for (std::uint64_t step = first_step;; ++step) {
    tell(pipe_end, {.step = step, .confirmed = false});
    if (const auto done = change(store, step); !done) {
      std::cerr << "step " << step << ": " << done.error().detail << '\n';
      _exit(4);
    }
    tell(pipe_end, {.step = step, .confirmed = true});
  }
}

// `last` is confirmed; last + 1 may have happened in part.
void expect_state(StateStore& store, std::uint64_t last) {
  if (last == 0) return;
  const auto floor = store.floor(kScope);
  ASSERT_TRUE(floor && *floor) << "the floor is lost";
  const bool ahead = **floor == floor_number(last + 1);
  EXPECT_TRUE(ahead || **floor == floor_number(last)) << "the floor is not that of step " << last;
  std::set<std::string> serials;
  for (const SeenRevocation& one : seen_in(store, kScope)) serials.insert(one.serial);
  for (const SeenRevocation& wanted : additions(last)) {
    if (ahead && wanted.serial == serial_number(last)) continue;  // lifted by the next
    ASSERT_TRUE(serials.contains(wanted.serial)) << "a revocation of step " << last << " is lost";
  }
  EXPECT_FALSE(serials.contains(serial_number(last - 1))) << "a lift is lost";

  const auto manual = store.manual_revocations();
  ASSERT_TRUE(manual);
  for (std::uint64_t step = last; step + kManualNumbers > last && step > 0; --step) {
    if ((last + 1) % kManualNumbers == step % kManualNumbers) continue;  // may be under way
    EXPECT_EQ(std::ranges::count(*manual, manual_number(step % kManualNumbers)),
              is_revoked_manually(step) ? 1 : 0)
        << "manual revocation of step " << step << " after " << last;
  }
  const auto clock = store.clock_floor();
  ASSERT_TRUE(clock && *clock);
  EXPECT_GE(**clock, at(static_cast<std::int64_t>(last)));
  // The end of the process, unlike that of the machine, loses nothing that was written.
  const auto audit = store.audit(2);
  ASSERT_TRUE(audit && !audit->empty());
  EXPECT_GE(std::stoull(audit->front()), last);
}

// The child is this program again, since RocksDB's threads do not survive a fork: it runs one test,
// which finds its orders in the environment.
constexpr const char* kChildTest = "--gtest_filter=StateCrashTest.StepsAreTold";
constexpr const char* kOrders = "REVCACHE_TEST_STATE_CRASH_CHILD";

class StateCrashTest : public StateStoreTest {
 protected:
  // Lets a child make steps until it has told `reports` times, and kills it. Gives the last step
  // that it confirmed.
  std::uint64_t run_and_kill(std::uint64_t last, std::size_t reports, std::int64_t delay_us) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    std::ostringstream written;
    written << kOrders << '=' << last + 1 << ' ' << ends[1] << ' ' << options_.directory;
    std::string orders = written.str();
    std::string program = "/proc/self/exe";
    std::string filter = kChildTest;
    std::string quiet = "--gtest_brief=1";
    const std::array<char*, 4> arguments{program.data(), filter.data(), quiet.data(), nullptr};
    const std::array<char*, 2> environment{orders.data(), nullptr};
    const pid_t child = fork();
    if (child == 0) {
      execve(program.c_str(), arguments.data(), environment.data());
      _exit(2);
    }
    EXPECT_GT(child, 0);
    ::close(ends[1]);
    Report report;
    std::size_t heard = 0;
    // After the kill as well: what was told before it counts.
    while (::read(ends[0], &report, sizeof(report)) == sizeof(report)) {
      if (report.confirmed) last = report.step;
      if (++heard != reports) continue;
      usleep(static_cast<useconds_t>(delay_us));  // into the middle of a step
      kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended with " << WEXITSTATUS(status);
    EXPECT_GE(heard, reports);
    return last;
  }
};

TEST_F(StateCrashTest, StepsAreTold) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  if (const char* const orders = std::getenv(kOrders); orders != nullptr) {
    std::istringstream in(orders);
    std::uint64_t first_step = 0;
    int pipe_end = -1;
    in >> first_step >> pipe_end >> std::ws;
    std::getline(in, options_.directory);
    open();
    change_for_ever(*store_, first_step, pipe_end);
  }
  open();
  for (std::uint64_t step = 1; step <= 12; ++step) {
    expect_ok(change(*store_, step));
    expect_state(*store_, step);
  }
}

TEST_F(StateCrashTest, AKillAtAnyMomentLosesNothingThatWasConfirmed) {
  std::mt19937_64 random(20260115);
  std::uint64_t last = 0;
  for (int round = 1; round <= 15; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    last = run_and_kill(last, 1 + random() % 20, static_cast<std::int64_t>(random() % 4000));
    if (HasFailure()) return;
    open();
    expect_state(*store_, last);
    if (HasFailure()) return;
    // A step that was begun may be in the books already, or in part: making it again is harmless.
    last += 1;
    expect_ok(change(*store_, last));
    expect_state(*store_, last);
    store_.reset();
  }
}

}  // namespace
}  // namespace revcache::revocation
