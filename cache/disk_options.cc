#include "cache/disk_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <algorithm>

namespace revcache::cache {
namespace {

constexpr std::uint64_t kMebibyte = 1ULL << 20U;

rocksdb::BlockBasedTableOptions table_options(const std::shared_ptr<rocksdb::Cache>& block_cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = block_cache;
  // Else they lie outside the bounded cache, some kilobytes for each open file.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  table.block_size = std::size_t{16} * 1024;
  return table;
}

}  // namespace

std::uint64_t write_buffer_bytes(std::uint64_t bytes_max) noexcept {
  return std::clamp(bytes_max / 1024, kMebibyte, 64 * kMebibyte);
}

rocksdb::DBOptions database_options(const DiskStore::Options& options) {
  const std::uint64_t write_buffer = write_buffer_bytes(options.bytes_max);
  rocksdb::DBOptions db;
  if (options.env != nullptr) db.env = options.env;
  if (options.listener != nullptr) db.listeners.push_back(options.listener);
  db.create_if_missing = true;
  db.create_missing_column_families = true;
  // No file is ever closed and opened again by a read (a cached read would then be incomplete).
  db.max_open_files = -1;
  db.max_file_opening_threads = 2;
  db.max_background_jobs = 2;
  // The index fills its memtable slowly and would pin old logs for long.
  db.max_total_wal_size = 4 * write_buffer;
  db.bytes_per_sync = kMebibyte;
  db.wal_bytes_per_sync = kMebibyte;
  // Preallocated space counts on disk, but is of no use to anybody.
  db.allow_fallocate = false;
  db.max_manifest_file_size = kMebibyte;
  db.info_log_level = rocksdb::WARN_LEVEL;
  db.keep_log_file_num = 2;
  db.max_log_file_size = kMebibyte;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  // Start-up must not read each file's properties.
  db.skip_stats_update_on_db_open = true;
  return db;
}

rocksdb::ColumnFamilyOptions index_options(std::uint64_t write_buffer,
                                           const std::shared_ptr<rocksdb::Cache>& block_cache) {
  rocksdb::ColumnFamilyOptions index;
  index.write_buffer_size = write_buffer / 2;
  index.target_file_size_base = write_buffer;
  index.max_bytes_for_level_base = 4 * write_buffer;
  index.max_compaction_bytes = 4 * write_buffer;
  index.compression = rocksdb::kNoCompression;
  // Each miss asks whether a key is there (certainly_absent), nearly always in vain: a filter says
  // so in an eighth of the instructions that the search in a skip list takes.
  index.memtable_whole_key_filtering = true;
  index.memtable_prefix_bloom_size_ratio = 0.02;
  rocksdb::BlockBasedTableOptions table = table_options(block_cache);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  index.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return index;
}

rocksdb::ColumnFamilyOptions data_options(std::uint64_t write_buffer,
                                          const std::shared_ptr<rocksdb::Cache>& block_cache) {
  rocksdb::ColumnFamilyOptions data;
  data.write_buffer_size = write_buffer;
  data.target_file_size_base = write_buffer;
  data.compression = rocksdb::kNoCompression;
  data.num_levels = 2;
  data.level0_file_num_compaction_trigger = 1;
  // The last level is as large as the ring; there is nothing to compact it into.
  data.max_bytes_for_level_base = 1ULL << 60U;
  data.soft_pending_compaction_bytes_limit = 0;
  data.hard_pending_compaction_bytes_limit = 0;
  // By default files would be rewritten after a month.
  data.ttl = 0;
  data.periodic_compaction_seconds = 0;
  data.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(block_cache)));
  return data;
}

}  // namespace revcache::cache
