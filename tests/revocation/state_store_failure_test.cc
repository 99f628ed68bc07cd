// The state store when the disk, the files or another process is against it: an error, and nothing
// lost without one.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "pki/signature.h"
#include "revocation/state_record.h"
#include "tests/cache/full_disk.h"
#include "tests/revocation/state_fixture.h"

namespace revcache::revocation {
namespace {

using testing::answer_at;
using testing::at;
using testing::expect_ok;
using testing::floor_number;
using testing::hash_number;
using testing::key_number;
using testing::manual_number;
using testing::seen_in;
using testing::seen_number;
using testing::serial_number;
using testing::StateStoreTest;

const FloorKey kScope = key_number(1, 1);

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void put_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

class StateFailureTest : public StateStoreTest {
 protected:
  void fill() {
    open();
    expect_ok(store_->accept_crl(kScope, floor_number(1),
                                 std::vector{seen_number(1), seen_number(2)}, {}));
    expect_ok(store_->accept_ocsp(key_number(1, 2), answer_at(10), seen_number(3), std::nullopt));
    expect_ok(store_->append_audit("{}", false));
    expect_ok(store_->put_refresh_record("http://a/", "x"));
    expect_ok(store_->revoke(manual_number(1)));
    expect_ok(store_->raise_clock_floor(at(100)));
  }

  // Everything that fill() put in is there and right; else the first error, if that is what it is.
  // Fails the test when something is missing or different without an error.
  std::optional<Error> check_all(StateStore& store) {
    std::optional<Error> error;
    const auto expect = [&error](const auto& result, const auto& expected) {
      if (result) {
        EXPECT_EQ(*result, expected);
      } else if (!error) {
        error = result.error();
      }
    };
    Result<std::vector<SeenRevocation>> seen;
    const auto visited =
        store.for_each_seen_of_issuer(hash_number(1), [&](const FloorKey&, const auto& one) {
          seen->push_back(one);
          return true;
        });
    if (!visited) seen = fail(visited.error().code, Blame::local, visited.error().detail);
    expect(store.floor(kScope), std::optional(floor_number(1)));
    expect(store.floor(key_number(1, 2)), std::optional(answer_at(10)));
    expect(seen, std::vector{seen_number(1), seen_number(2), seen_number(3)});
    expect(store.manual_revocations(), std::vector{manual_number(1)});
    expect(store.clock_floor(), std::optional(at(100)));
    expect(store.audit(10), std::vector<std::string>{"{}"});
    expect(store.refresh_records(),
           std::vector<std::pair<std::string, std::string>>{{"http://a/", "x"}});
    return error;
  }

  void expect_intact() {
    open();
    const auto error = check_all(*store_);
    EXPECT_FALSE(error) << error->detail;
  }

  [[nodiscard]] std::filesystem::path directory() const { return options_.directory; }

  std::vector<std::filesystem::path> files() {
    std::vector<std::filesystem::path> found;
    for (const auto& file : std::filesystem::directory_iterator(directory())) {
      const std::string name = file.path().filename().string();
      // These decide nothing: RocksDB's own log, its lock, and what it writes for other tools.
      const bool plays_no_part = name.starts_with("LOG") || name == "LOCK" || name == "IDENTITY" ||
                                 name.starts_with("OPTIONS");
      if (!plays_no_part) found.push_back(file.path());
    }
    std::ranges::sort(found);
    return found;
  }

  // The raw database, as nobody but a test opens it.
  std::unique_ptr<rocksdb::DB> raw() {
    store_.reset();
    rocksdb::DB* opened = nullptr;
    const auto status = rocksdb::DB::Open(rocksdb::Options(), options_.directory, &opened);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return std::unique_ptr<rocksdb::DB>(opened);
  }
};

// Wherever a byte is damaged: an error, or everything is there all the same.
TEST_F(StateFailureTest, NoDamagedByteOfAnyFileGoesUnnoticed) {
  std::mt19937_64 random(5);
  for (const bool in_tables : {false, true}) {
    std::filesystem::remove_all(directory());
    fill();
    if (in_tables) open();  // what was in the log is in a table now
    store_.reset();
    const std::filesystem::path copy = root_.path() / "copy";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(directory(), copy);
    std::size_t refused = 0;
    for (const std::filesystem::path& file : files()) {
      SCOPED_TRACE(file.filename());
      const std::string good = bytes_of(file);
      for (int i = 0; i < 24 && !good.empty(); ++i) {
        const std::size_t place = random() % good.size();
        SCOPED_TRACE("octet " + std::to_string(place) + " of " + std::to_string(good.size()));
        std::string damaged = good;
        damaged[place] = static_cast<char>(damaged[place] ^ static_cast<char>(1 + random() % 255));
        put_bytes(file, damaged);
        if (auto opened = StateStore::open(options_, log_); !opened) {
          EXPECT_NE(opened.error().code, ErrorCode::unreachable) << opened.error().detail;
          EXPECT_NE(opened.error().detail.find(options_.directory), std::string::npos);
          ++refused;
        } else if (const auto error = check_all(**opened)) {
          EXPECT_EQ(error->code, ErrorCode::corrupt) << error->detail;
          ++refused;
        }
        store_.reset();
        std::filesystem::remove_all(directory());
        std::filesystem::copy(copy, directory());
      }
    }
    EXPECT_GT(refused, 30U);
    expect_intact();
  }
}

TEST_F(StateFailureTest, NoMissingEndOfAFileGoesUnnoticed) {
  for (const bool in_tables : {false, true}) {
    std::filesystem::remove_all(directory());
    fill();
    if (in_tables) open();
    store_.reset();
    const std::filesystem::path copy = root_.path() / "copy";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(directory(), copy);
    for (const std::filesystem::path& file : files()) {
      const std::string good = bytes_of(file);
      for (std::size_t i = 0; i < 12; ++i) {
        const std::size_t length = good.size() * i / 12;
        SCOPED_TRACE(file.filename().string() + " cut to " + std::to_string(length));
        put_bytes(file, good.substr(0, length));
        if (auto opened = StateStore::open(options_, log_)) {
          const auto error = check_all(**opened);
          EXPECT_EQ(error.value_or(Error{ErrorCode::corrupt, Blame::local, {}}).code,
                    ErrorCode::corrupt);
        }
        std::filesystem::remove_all(directory());
        std::filesystem::copy(copy, directory());
      }
    }
  }
}

TEST_F(StateFailureTest, AMissingFileIsDamageAndNothingIsMadeAnew) {
  fill();
  open();
  expect_ok(store_->raise_clock_floor(at(100)));
  store_.reset();
  const std::filesystem::path copy = root_.path() / "copy";
  std::filesystem::copy(directory(), copy);
  for (const std::filesystem::path& file : files()) {
    SCOPED_TRACE(file.filename());
    if (std::filesystem::file_size(file) == 0) continue;  // a log without a record
    std::filesystem::remove(file);
    const Error error = refusal();
    EXPECT_EQ(error.code, ErrorCode::corrupt) << error.detail;
    EXPECT_NE(error.detail.find("backup"), std::string::npos) << error.detail;
    std::filesystem::remove_all(directory());
    std::filesystem::copy(copy, directory());
  }
  expect_intact();
}

TEST_F(StateFailureTest, ADamagedDatabaseIsLeftAsItIs) {
  fill();
  store_.reset();
  put_bytes(directory() / "CURRENT", "nonsense");
  const auto names_before = files();
  EXPECT_EQ(refusal().code, ErrorCode::corrupt);
  EXPECT_EQ(files(), names_before);
  EXPECT_EQ(bytes_of(directory() / "CURRENT"), "nonsense");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(root_.path()), {}), 1)
      << "nothing is set aside";
}

TEST_F(StateFailureTest, ADamagedRecordIsNamedAndTheOthersAreRead) {
  fill();
  const std::string key = seen_record_key(kScope, serial_number(2));
  {
    const auto database = raw();
    std::string record;
    ASSERT_TRUE(database->Get(rocksdb::ReadOptions(), key, &record).ok());
    record[3] = static_cast<char>(record[3] ^ 1);
    rocksdb::WriteOptions synced;
    synced.sync = true;
    ASSERT_TRUE(database->Put(synced, key, record).ok());
  }
  open();
  std::vector<SeenRevocation> seen;
  const auto read = store_->for_each_seen(kScope, [&](const SeenRevocation& one) {
    seen.push_back(one);
    return true;
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::corrupt);
  EXPECT_NE(read.error().detail.find("serial " + pki::hex(as_bytes(serial_number(2)))),
            std::string::npos)
      << read.error().detail;
  EXPECT_EQ(store_->floor(kScope), floor_number(1));
  EXPECT_EQ(store_->manual_revocations(), std::vector{manual_number(1)});
  // The administrator's way out.
  EXPECT_EQ(store_->reset_floors(hash_number(1)), 2U);
  EXPECT_TRUE(seen_in(*store_, kScope).empty());
}

TEST_F(StateFailureTest, ADamagedClockFloorCanBeReset) {
  fill();
  {
    const auto database = raw();
    ASSERT_TRUE(database->Put(rocksdb::WriteOptions(), "c", "nonsense").ok());
  }
  open();
  const auto read = store_->clock_floor();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::corrupt);
  EXPECT_FALSE(store_->raise_clock_floor(at(200)));
  expect_ok(store_->reset_clock_floor(at(50)));
  EXPECT_EQ(store_->clock_floor(), at(50));
}

TEST_F(StateFailureTest, AConfirmedWriteThatIsMissingIsNoticed) {
  fill();
  store_.reset();
  put_bytes(directory() / "confirmed", encode_confirmed(1000));
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::corrupt);
  EXPECT_NE(error.detail.find("lost writes"), std::string::npos) << error.detail;
}

TEST_F(StateFailureTest, AProcessThatDiedBeforeItConfirmedItsFirstWriteLeavesAGoodDatabase) {
  open();
  store_.reset();
  put_bytes(directory() / "confirmed", "");
  open();
  store_.reset();
  std::filesystem::remove(directory() / "confirmed");
  fill();
  expect_intact();
}

TEST_F(StateFailureTest, ANewerFormatIsRefusedInClearWordsAndNotTouched) {
  fill();
  store_.reset();
  std::string newer = encode_confirmed(5);
  newer[7] = 2;
  put_bytes(directory() / "confirmed", newer);
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::unsupported);
  EXPECT_NE(error.detail.find("newer revcache"), std::string::npos) << error.detail;
  EXPECT_NE(error.detail.find(options_.directory), std::string::npos) << error.detail;
  EXPECT_EQ(bytes_of(directory() / "confirmed"), newer);
}

TEST_F(StateFailureTest, ADatabaseOfAnotherProgramIsRefused) {
  std::filesystem::create_directory(directory());
  {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, options_.directory, &opened).ok());
    const std::unique_ptr<rocksdb::DB> database(opened);
    ASSERT_TRUE(database->Put(rocksdb::WriteOptions(), "k1", "b").ok());
  }
  EXPECT_EQ(refusal().code, ErrorCode::corrupt);
  EXPECT_EQ(refusal().code, ErrorCode::corrupt) << "the first refusal changed nothing";
}

TEST_F(StateFailureTest, ADatabaseThatIsOpenIsNotOpenedAgain) {
  fill();
  const auto second = StateStore::open(options_, log_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::unreachable);
  EXPECT_NE(second.error().detail.find("in use"), std::string::npos) << second.error().detail;
  EXPECT_FALSE(check_all(*store_));
}

// The other process is a fork that holds the lock file, which is all that RocksDB sees of it.
TEST_F(StateFailureTest, ADatabaseThatAnotherProcessUsesIsRefusedInClearWords) {
  fill();
  store_.reset();
  const std::string lock_file = options_.directory + "/LOCK";
  std::array<int, 2> ready{};
  std::array<int, 2> finish{};
  ASSERT_EQ(pipe(ready.data()), 0);
  ASSERT_EQ(pipe(finish.data()), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const int file = ::open(lock_file.c_str(), O_RDWR);
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (fcntl(file, F_SETLK, &whole) != 0) _exit(1);
    char byte = 'y';
    if (::write(ready[1], &byte, 1) != 1) _exit(2);
    if (::read(finish[0], &byte, 1) != 1) _exit(3);
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::unreachable);
  EXPECT_NE(error.detail.find("in use by another process"), std::string::npos) << error.detail;
  ASSERT_EQ(::write(finish[1], &byte, 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  for (const int end : {ready[0], ready[1], finish[0], finish[1]}) close(end);
  expect_intact();
}

TEST_F(StateFailureTest, ADirectoryThatCannotBeMadeIsAClearError) {
  put_bytes(root_.path() / "file", "in the way");
  options_.directory = (root_.path() / "file").string();
  EXPECT_EQ(refusal().code, ErrorCode::unreachable);
  options_.directory = (root_.path() / "file" / "state").string();
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::unreachable);
  EXPECT_NE(error.detail.find(options_.directory), std::string::npos) << error.detail;
}

class StateFullDiskTest : public StateFailureTest {
 protected:
  StateFullDiskTest()
      : disk_(std::make_shared<cache::testing::FullDisk>()), env_(rocksdb::NewCompositeEnv(disk_)) {
    options_.env = env_.get();
  }
  ~StateFullDiskTest() override {
    disk_->set_full(false);
    store_.reset();  // before what it stands on
  }

  // RocksDB may be recovering by itself, which takes up to five seconds, and refuses us meanwhile.
  void revoke_until_it_works(std::uint64_t number) {
    for (int i = 0; i < 4000; ++i) {
      if (store_->revoke(manual_number(number))) return;
      usleep(5000);
    }
    FAIL() << "writes never resumed";
  }

  std::shared_ptr<cache::testing::FullDisk> disk_;
  std::unique_ptr<rocksdb::Env> env_;
};

TEST_F(StateFullDiskTest, AFullDiskIsAnErrorReadsGoOnAndSoDoWritesWhenThereIsSpace) {
  fill();
  disk_->set_full(true);
  for (std::uint64_t i = 2; i < 6; ++i) {
    const auto refused = store_->revoke(manual_number(i));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unreachable);
    EXPECT_FALSE(store_->accept_crl(kScope, floor_number(i), std::vector{seen_number(i)}, {}));
    EXPECT_FALSE(store_->append_audit("{}", false));
    EXPECT_FALSE(check_all(*store_)) << "what is there can be read, and nothing else is there";
  }
  EXPECT_GE(log_.count("state database cannot be written"), 1U);
  EXPECT_LE(log_.count("state database cannot be written"), 5U) << "not each failure is logged";
  disk_->set_full(false);
  revoke_until_it_works(9);
  EXPECT_EQ(log_.count("state database writes again"), 1U);
  EXPECT_EQ(store_->manual_revocations(), (std::vector{manual_number(1), manual_number(9)}));
  options_.env = nullptr;
  open();
  EXPECT_EQ(store_->manual_revocations(), (std::vector{manual_number(1), manual_number(9)}));
  EXPECT_EQ(store_->floor(kScope), floor_number(1));
}

// Full at other moments of batches and flushes each time; what was confirmed in between stays.
TEST_F(StateFullDiskTest, ADiskThatIsFullNowAndThenLosesNothingThatWasConfirmed) {
  open();
  std::mt19937_64 random(3);
  std::uint64_t confirmed = 0;
  std::uint64_t number = 0;
  for (int round = 0; round < 2; ++round) {
    const std::uint64_t full_after = 3 + random() % 5;
    for (std::uint64_t i = 0; i < full_after + 3; ++i) {
      if (i == full_after) disk_->set_full(true);
      ++number;
      std::vector<SeenRevocation> added;
      for (std::uint64_t j = 0; j < 9000; ++j) added.push_back(seen_number((number << 32U) + j));
      if (store_->accept_crl(kScope, floor_number(number), added, {})) confirmed = number;
    }
    disk_->set_full(false);
    revoke_until_it_works(1);
    open();
    const auto floor = store_->floor(kScope);
    ASSERT_TRUE(floor && *floor);
    EXPECT_EQ(**floor, floor_number(confirmed));
  }
  EXPECT_EQ(store_->manual_revocations(), std::vector{manual_number(1)});
}

}  // namespace
}  // namespace revcache::revocation
