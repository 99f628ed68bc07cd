#include "cache/remembered_keys.h"

#include <gtest/gtest.h>

#include <string>

namespace revcache::cache {
namespace {

using Fate = RememberedKeys::Fate;

std::string url(int number) { return "http://cdp.test/" + std::to_string(number) + ".crl"; }

TEST(RememberedKeys, TellWhatWasStoredFromWhatWasRemovedAndWhatWasNeverThere) {
  RememberedKeys keys;
  EXPECT_EQ(keys.fate_of(url(1)), Fate::unheard_of);
  EXPECT_EQ(keys.fate_of(""), Fate::unheard_of);
  keys.note_stored(url(1));
  EXPECT_EQ(keys.fate_of(url(1)), Fate::stored);
  keys.note_removed(url(1));
  EXPECT_EQ(keys.fate_of(url(1)), Fate::removed);
  keys.note_stored(url(1));
  EXPECT_EQ(keys.fate_of(url(1)), Fate::stored);
}

TEST(RememberedKeys, RemovingWhatWasNeverThereIsNothing) {
  RememberedKeys keys;
  keys.note_removed(url(1));
  EXPECT_EQ(keys.fate_of(url(1)), Fate::unheard_of);
}

TEST(RememberedKeys, AnotherKeyIsNotTakenForOneThatIsThere) {
  RememberedKeys keys;
  for (int number = 0; number < 20'000; ++number) keys.note_stored(url(number));
  int remembered = 0;
  for (int number = 0; number < 20'000; ++number) {
    remembered += keys.fate_of(url(number)) == Fate::stored ? 1 : 0;
  }
  EXPECT_GT(remembered, 17'000);  // of 131,072 slots: few took another's
  for (int number = 20'000; number < 40'000; ++number) {
    ASSERT_EQ(keys.fate_of(url(number)), Fate::unheard_of) << number;
  }
}

}  // namespace
}  // namespace revcache::cache
