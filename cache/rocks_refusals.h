// What RocksDB 7.8 must be spared on a disk that refuses writes. Debian builds it with its
// assertions on: where it lost count of what a refusal left behind, it aborts the process. For
// cache/ and the state database, which both go on when there is space again. Any thread.
#pragma once

#include <rocksdb/db.h>

namespace revcache::cache {

// To be called before each write, by one thread at a time: puts `key` (with the value that it has
// already) into the memtable of `family` if there is nothing in it, without the log.
//
// After a write that the log refused, RocksDB changes to a new log file while it resumes, but only
// if it has something to flush. If not, the next write goes to the broken file and aborts. What
// remains: all memtables are full at the very write that is refused.
void leave_something_to_flush(rocksdb::DB& rocks, rocksdb::ColumnFamilyHandle* family,
                              const rocksdb::Slice& key, const rocksdb::Slice& value);

// DeleteFilesInRange, after which resuming is safe although MANIFEST could not be written.
//
// RocksDB resumes from that only while no file is deleted, as the MANIFEST that it has may still
// name them. It sees to this wherever it writes MANIFEST itself, but not here.
class FileRemoval {
 public:
  // Whole files of `family` up to the key `last`, included. By one thread at a time.
  rocksdb::Status remove_up_to(rocksdb::DB& rocks, rocksdb::ColumnFamilyHandle* family,
                               const rocksdb::Slice& last);

 private:
  int held_ = 0;  // refusals since the last success: files are not deleted meanwhile
};

}  // namespace revcache::cache
