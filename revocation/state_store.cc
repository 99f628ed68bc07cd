#include "revocation/state_store.h"

#include "revocation/state_store_rocks.h"

namespace revcache::revocation {

Result<std::unique_ptr<StateStore>> StateStore::open(Options options, metrics::Log& log) {
  auto database = StateDatabase::open(options, log);
  if (!database) return fail(std::move(database));
  auto store = std::make_unique<RocksStateStore>(std::move(options), std::move(*database));
  if (auto ready = store->prepare(); !ready) return fail(std::move(ready));
  return store;
}

}  // namespace revcache::revocation
