#include "cache/rocks_refusals.h"

#include <rocksdb/convenience.h>

#include <cstdint>

namespace revcache::cache {

void leave_something_to_flush(rocksdb::DB& rocks, rocksdb::ColumnFamilyHandle* family,
                              const rocksdb::Slice& key, const rocksdb::Slice& value) {
  std::uint64_t entries = 0;
  const bool known =
      rocks.GetIntProperty(family, rocksdb::DB::Properties::kNumEntriesActiveMemTable, &entries);
  if (known && entries != 0) return;
  rocksdb::WriteOptions without_log;
  without_log.disableWAL = true;
  // Refused while writes are stopped: then nothing is written after it either.
  rocks.Put(without_log, family, key, value).PermitUncheckedError();
}

rocksdb::Status FileRemoval::remove_up_to(rocksdb::DB& rocks, rocksdb::ColumnFamilyHandle* family,
                                          const rocksdb::Slice& last) {
  rocksdb::Status status = rocks.DisableFileDeletions();
  if (!status.ok()) return status;
  ++held_;
  status = rocksdb::DeleteFilesInRange(&rocks, family, nullptr, &last, /*include_end=*/true);
  if (!status.ok()) return status;
  // Each takes one refusal back, or nothing where RocksDB has resumed and taken all of them back.
  for (; held_ > 0; --held_) {
    rocks.EnableFileDeletions(/*force=*/false).PermitUncheckedError();
  }
  return status;
}

}  // namespace revcache::cache
