#include "cache/disk_owed_removals.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace revcache::cache {
namespace {

// A disk that holds keys, and refuses when told to.
struct KeysOnDisk {
  std::set<std::string> keys{"a", "b", "c"};
  bool refuses = false;

  OwedRemovals::Disk disk() {
    return {.remove =
                [this](const std::string& key) {
                  if (!refuses) keys.erase(key);
                  return !refuses;
                },
            .forget_all =
                [this] {
                  if (!refuses) keys.clear();
                  return !refuses;
                }};
  }
};

TEST(OwedRemovals, StayOwedUntilTheDiskHasDoneThem) {
  OwedRemovals owed;
  KeysOnDisk there;
  EXPECT_TRUE(owed.none());
  owed.add("a");
  EXPECT_TRUE(owed.covers("a"));
  EXPECT_FALSE(owed.covers("b"));
  there.refuses = true;
  EXPECT_FALSE(owed.settle("a", there.disk()));
  EXPECT_TRUE(owed.covers("a"));
  there.refuses = false;
  EXPECT_TRUE(owed.settle("b", there.disk())) << "it was never owed";
  EXPECT_TRUE(owed.none()) << "the others are done on the way";
  EXPECT_EQ(there.keys, (std::set<std::string>{"b", "c"}));
}

TEST(OwedRemovals, WhatIsOwedAgainWhileItIsDoneStaysOwed) {
  OwedRemovals owed;
  owed.add("a");
  const OwedRemovals::Disk disk{.remove =
                                    [&](const std::string& key) {
                                      owed.add(key);
                                      return true;
                                    },
                                .forget_all = [] { return true; }};
  EXPECT_FALSE(owed.settle("a", disk));
  EXPECT_TRUE(owed.covers("a"));
}

TEST(OwedRemovals, PastTheBoundEverythingIsRemoved) {
  OwedRemovals owed;
  KeysOnDisk there;
  for (std::size_t i = 0; i <= OwedRemovals::kKeysMax; ++i) owed.add("key " + std::to_string(i));
  EXPECT_TRUE(owed.covers("a")) << "nobody knows any more what is not owed";
  there.refuses = true;
  EXPECT_FALSE(owed.settle("a", there.disk()));
  owed.settle_all(there.disk());
  EXPECT_FALSE(owed.none());
  there.refuses = false;
  owed.settle_all(there.disk());
  EXPECT_TRUE(owed.none());
  EXPECT_TRUE(there.keys.empty());
}

}  // namespace
}  // namespace revcache::cache
