#include "cache/purge.h"

#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace revcache::cache {
namespace {

constexpr std::size_t kRemovedAtOnce = 1024;

// Counts entries and their URLs. Keys of one URL that come one after the other are told from the
// one before; memory is taken for what is asked to be remembered and kPurgedUrlsListed URLs.
class Count {
 public:
  // In memory: remembered, since the disk may have it too.
  void add_in_memory(const StoredResponse& entry) {
    in_memory_.insert_or_assign(entry.key, entry.memory_bytes());
    urls_in_memory_.emplace(url_of_key(entry.key));
  }
  // On disk: in order of keys.
  void add_on_disk(std::string_view key, std::uint64_t bytes) {
    if (const auto also = in_memory_.find(key); also != in_memory_.end()) in_memory_.erase(also);
    add(bytes);
    const std::string_view url = url_of_key(key);
    if (url == last_url_) return;
    last_url_ = url;
    if (const auto also = urls_in_memory_.find(url); also != urls_in_memory_.end()) {
      urls_in_memory_.erase(also);
    }
    add_url(url);
  }
  [[nodiscard]] PurgeReport report() && {
    for (const auto& [key, bytes] : in_memory_) add(bytes);
    for (const auto& url : urls_in_memory_) add_url(url);
    report_.urls.assign(first_urls_.begin(), first_urls_.end());
    report_.more = urls_ - report_.urls.size();
    return std::move(report_);
  }

 private:
  void add(std::uint64_t bytes) {
    ++report_.entries;
    report_.bytes += bytes;
  }
  void add_url(std::string_view url) {
    ++urls_;
    first_urls_.emplace(url);
    if (first_urls_.size() > kPurgedUrlsListed) first_urls_.erase(std::prev(first_urls_.end()));
  }

  PurgeReport report_;
  std::map<std::string, std::uint64_t, std::less<>> in_memory_;  // not seen on disk yet
  std::set<std::string, std::less<>> urls_in_memory_;            // likewise
  std::set<std::string> first_urls_;
  std::string last_url_;
  std::uint64_t urls_ = 0;
};

using Seen = std::function<void(std::string_view key, std::uint64_t bytes)>;

Result<void> visit_disk(DiskStore& disk, const PurgeScope& scope, const Seen& seen) {
  auto prefixes = scope.prefixes();
  if (scope.everything) prefixes.insert("");
  // In order, and none of what another one covers already.
  std::string_view before;
  bool first = true;
  for (const std::string& prefix : prefixes) {
    if (!first && prefix.starts_with(before)) continue;
    first = false;
    before = prefix;
    auto visited = disk.visit(prefix, [&](std::string_view key, std::uint64_t bytes) {
      if (scope.covers(key)) seen(key, bytes);
    });
    if (!visited) return visited;
  }
  return {};
}

// As what is found on the way is removed from a view of the index that does not change, nothing is
// missed or seen twice.
class RemovalFromDisk {
 public:
  RemovalFromDisk(SharedCache& shared, DiskStore& disk) : shared_(shared), disk_(disk) {}

  void add(std::string_view key) {
    keys_.emplace_back(key);
    if (keys_.size() >= kRemovedAtOnce) remove();
  }
  Result<void> finish() {
    remove();
    return std::move(all_);
  }

 private:
  void remove() {
    if (keys_.empty()) return;
    auto removed = disk_.remove_all(keys_);
    if (!removed) all_ = std::move(removed);
    for (const std::string& key : keys_) shared_.remembered.note_removed(key);
    keys_.clear();
  }

  SharedCache& shared_;
  DiskStore& disk_;
  std::vector<std::string> keys_;
  Result<void> all_;
};

Result<void> purge_disk(SharedCache& shared, DiskStore& disk, const PurgeScope& scope,
                        Count& count) {
  RemovalFromDisk removal(shared, disk);
  auto visited = visit_disk(disk, scope, [&](std::string_view key, std::uint64_t bytes) {
    count.add_on_disk(key, bytes);
    if (scope.everything) {
      shared.remembered.note_removed(key);
    } else {
      removal.add(key);
    }
  });
  auto removed = removal.finish();
  // All at once is one durable write, and gives the space back. It is tried also when the index
  // could not be read to its end.
  if (scope.everything) removed = disk.clear();
  return visited ? removed : visited;
}

void purge_memory(SharedCache& shared, const PurgeScope& scope, Count& count) {
  shared.memory.visit([&](const StoredResponsePtr& entry) {
    if (!scope.covers(entry->key)) return;
    count.add_in_memory(*entry);
    shared.memory.erase(entry->key);
    shared.remembered.note_removed(entry->key);
  });
  shared.negative.erase_if([&](std::string_view key) { return scope.covers(key); });
}

}  // namespace

Result<PurgeReport> find_purgeable(const SharedCache& shared, DiskStore* disk,
                                   const PurgeScope& scope) {
  Count count;
  shared.memory.visit([&](const StoredResponsePtr& entry) {
    if (scope.covers(entry->key)) count.add_in_memory(*entry);
  });
  if (disk != nullptr) {
    auto visited = visit_disk(*disk, scope, [&](std::string_view key, std::uint64_t bytes) {
      count.add_on_disk(key, bytes);
    });
    if (!visited) return fail(std::move(visited));
  }
  return std::move(count).report();
}

Result<PurgeReport> purge(SharedCache& shared, DiskStore* disk,
                          const std::shared_ptr<const PurgeScope>& scope) {
  // From here on nothing that it covers is stored in either tier; so the order of these is free.
  shared.purges.begin(scope);
  Count count;
  purge_memory(shared, *scope, count);
  Result<void> purged;
  if (disk != nullptr) purged = purge_disk(shared, *disk, *scope, count);
  shared.purges.end(scope);
  if (!purged) return fail(std::move(purged));
  return std::move(count).report();
}

}  // namespace revcache::cache
