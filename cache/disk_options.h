// How the disk tier sets up RocksDB: small in memory, sequential on disk.
#pragma once

#include <rocksdb/options.h>

#include <cstdint>
#include <memory>

#include "cache/disk_tier.h"

namespace revcache::cache {

// Also the size of one data file, so that a thousand of them make up the bound: fine enough to
// evict one by one, few enough to keep open. 1 to 64 MiB.
[[nodiscard]] std::uint64_t write_buffer_bytes(std::uint64_t bytes_max) noexcept;

// Shared by index and data, filled as needed.
inline constexpr std::uint64_t kBlockCacheBytes = 8ULL << 20U;

rocksdb::DBOptions database_options(const DiskStore::Options& options);

// Cache key → where its entry lies. Small records, overwritten in place: ordinary levels and a
// Bloom filter, so that most misses read nothing.
rocksdb::ColumnFamilyOptions index_options(std::uint64_t write_buffer,
                                           const std::shared_ptr<rocksdb::Cache>& block_cache);

// Records in the order of their generation, never overwritten or deleted one by one: files do not
// overlap, so they are moved to the last level as they are, and dropped whole from its low end.
rocksdb::ColumnFamilyOptions data_options(std::uint64_t write_buffer,
                                          const std::shared_ptr<rocksdb::Cache>& block_cache);

}  // namespace revcache::cache
