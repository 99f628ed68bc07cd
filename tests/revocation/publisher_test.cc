#include "revocation/publisher.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace revcache::revocation {
namespace {

SnapshotPtr make() { return std::make_shared<const Snapshot>(); }

// Keeps tasks until they are run by hand.
class ManualWork final : public net::BackgroundWork {
 public:
  bool submit(net::WorkKind /*kind*/, Callback<> work, Callback<> done) override {
    if (full) return false;
    waiting.emplace_back(std::move(work), std::move(done));
    return true;
  }
  void run_off_loop() {
    std::thread pool([this] {
      for (auto& [work, done] : waiting) work();
    });
    pool.join();
    for (auto& [work, done] : waiting) done();
    waiting.clear();
  }

  bool full = false;
  std::vector<std::pair<Callback<>, Callback<>>> waiting;
};

TEST(Publisher, TellsEachSubscriberTheLastOneAndThenEachInOrder) {
  Publisher publisher;
  std::vector<SnapshotPtr> early;
  std::vector<SnapshotPtr> late;
  publisher.subscribe([&](const SnapshotPtr& snapshot) { early.push_back(snapshot); });
  EXPECT_TRUE(early.empty());
  const std::vector<SnapshotPtr> all{make(), make(), make()};
  publisher.publish(all[0]);
  publisher.publish(all[1]);
  publisher.subscribe([&](const SnapshotPtr& snapshot) { late.push_back(snapshot); });
  publisher.publish(all[2]);
  EXPECT_EQ(early, all);
  EXPECT_EQ(late, (std::vector<SnapshotPtr>{all[1], all[2]}));
}

TEST(Publisher, WaitsUntilEachLoopHasComeToItsFence) {
  Publisher publisher;
  std::vector<Callback<>> posted;
  publisher.subscribe([](const SnapshotPtr&) {}, [](Callback<> reached) { reached(); });
  publisher.subscribe([](const SnapshotPtr&) {});  // has no fence: nobody waits for it
  EXPECT_EQ(publisher.wait_until_received(std::chrono::milliseconds(0)), 0U);
  std::promise<void> fenced;
  publisher.subscribe([](const SnapshotPtr&) {},
                      [&](Callback<> reached) {
                        posted.push_back(std::move(reached));
                        if (posted.size() == 1) fenced.set_value();
                      });
  auto waiting = std::async(std::launch::async,
                            [&] { return publisher.wait_until_received(std::chrono::minutes(5)); });
  fenced.get_future().wait();
  posted.front()();
  EXPECT_EQ(waiting.get(), 0U);
}

TEST(Publisher, TellsHowManyLoopsAreBehindAndALateOneDoesNoHarm) {
  Publisher publisher;
  std::vector<Callback<>> posted;
  for (int i = 0; i < 3; ++i) {
    publisher.subscribe([](const SnapshotPtr&) {},
                        [&](Callback<> reached) { posted.push_back(std::move(reached)); });
  }
  publisher.subscribe([](const SnapshotPtr&) {}, [](Callback<> reached) { reached(); });
  EXPECT_EQ(publisher.wait_until_received(std::chrono::milliseconds(0)), 3U);
  for (auto& reached : posted) reached();
  publisher.clear();
  EXPECT_EQ(publisher.wait_until_received(std::chrono::minutes(5)), 0U);
}

TEST(Publisher, AfterClearNobodyIsTold) {
  Publisher publisher;
  std::size_t told = 0;
  publisher.subscribe([&](const SnapshotPtr&) { ++told; });
  publisher.publish(make());
  publisher.clear();
  publisher.publish(make());
  publisher.subscribe([&](const SnapshotPtr&) { ++told; });
  publisher.publish(make());
  EXPECT_EQ(told, 1U);
}

TEST(Publisher, AfterClearItKeepsNoSnapshotAlive) {
  Publisher publisher;
  SnapshotPtr snapshot = make();
  const std::weak_ptr<const Snapshot> watched = snapshot;
  publisher.publish(snapshot);
  snapshot.reset();
  EXPECT_FALSE(watched.expired());
  publisher.clear();
  EXPECT_TRUE(watched.expired());
}

// The deleter of the snapshot says on which thread it was freed.
SnapshotPtr make_watched(std::thread::id& freed_on) {
  return {new Snapshot(), [&freed_on](const Snapshot* snapshot) {
            freed_on = std::this_thread::get_id();
            delete snapshot;
          }};
}

TEST(LoopSnapshot, TheOneBeforeIsFreedOffTheLoop) {
  ManualWork work;
  LoopSnapshot loop(work);
  EXPECT_TRUE(loop.now().issuers().empty());
  std::thread::id freed_on;
  loop.receive(make_watched(freed_on));
  const SnapshotPtr next = make();
  loop.receive(next);
  EXPECT_EQ(loop.shared(), next);
  EXPECT_EQ(&loop.now(), next.get());
  EXPECT_EQ(freed_on, std::thread::id());
  work.run_off_loop();
  EXPECT_NE(freed_on, std::thread::id());
  EXPECT_NE(freed_on, std::this_thread::get_id());
}

TEST(LoopSnapshot, WithAFullQueueTheOldOnesWaitForTheNext) {
  ManualWork work;
  LoopSnapshot loop(work);
  std::thread::id first_on;
  std::thread::id second_on;
  loop.receive(make_watched(first_on));
  work.full = true;
  loop.receive(make_watched(second_on));
  EXPECT_EQ(first_on, std::thread::id());
  work.full = false;
  loop.receive(make());
  work.run_off_loop();
  EXPECT_NE(first_on, std::thread::id());
  EXPECT_NE(second_on, std::thread::id());
  EXPECT_NE(first_on, std::this_thread::get_id());
}

TEST(LoopSnapshot, WhoHoldsOneKeepsItWhileOthersFollow) {
  ManualWork work;
  LoopSnapshot loop(work);
  loop.receive(make());
  const SnapshotPtr kept = loop.shared();
  loop.receive(make());
  work.run_off_loop();
  EXPECT_NE(loop.shared(), kept);
  EXPECT_EQ(kept.use_count(), 1);
}

}  // namespace
}  // namespace revcache::revocation
