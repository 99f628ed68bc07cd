// `revcache purge`: what of the cache goes for a URL, an authority, or altogether.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "admin/operations.h"
#include "base/clock.h"
#include "cache/disk_tier.h"
#include "cache/http_cache.h"
#include "cache/purge_log.h"
#include "metrics/log.h"
#include "revocation/snapshot.h"
#include "revocation/state_store.h"

namespace revcache::proxy {

// Every key of this URL (normalised): its variants, and the OCSP answers that it leads to. One that
// spells an OCSP question (RFC 6960 A.1) leads to that one; one that is no CRL or certificate by
// its name, to all of its host, as their keys do not know a path. Pure.
cache::PurgeScope purge_scope_of_url(const std::string& url);

// `urls` of CRLs, and OCSP answers about certificates that the authority, or a CA below it, issued.
cache::PurgeScope purge_scope_of_authority(const std::vector<std::string>& urls,
                                           revocation::SnapshotPtr known,
                                           const std::string& authority);

// Thread-safe; blocks.
class AdminPurge {
 public:
  // All outlive it.
  struct Parts {
    cache::SharedCache& cache;
    cache::DiskStore* disk;  // null: memory only
    revocation::StateStore& state;
    const Clock& clock;
    metrics::Log& log;
  };
  explicit AdminPurge(const Parts& parts) : parts_(parts) {}

  // One purge at a time: unavailable while another one is under way. `target` is for the audit
  // trail and the log.
  admin::Done<admin::Purged> run(const admin::PurgeTarget& target, cache::PurgeScope scope,
                                 const std::string& by);

 private:
  Parts parts_;
  std::mutex one_at_a_time_;
};

}  // namespace revcache::proxy
