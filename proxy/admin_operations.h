// Carries out what the admin API is asked for, on the parts of the running server. Every change is
// in the audit trail, durably, before it is made: none is without its entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "admin/operations.h"
#include "base/callback.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "config/config.h"
#include "metrics/log.h"
#include "net/executor.h"
#include "net/timers.h"
#include "proxy/admin_check.h"
#include "proxy/admin_purge.h"
#include "proxy/revocation_parts.h"
#include "proxy/worker_thread.h"
#include "revocation/responder_table.h"

namespace revcache::proxy {

// How long an answer to a refresh waits for the attempts: less than the admin port gives an answer,
// more than upstream.timeout has by default.
inline constexpr std::chrono::seconds kRefreshWaitMax{25};
// How long an answer to a revocation waits for loops to take it: far more than a loop is ever busy.
inline constexpr std::chrono::milliseconds kReceiptWaitMax{100};

// Held by shared_ptr; work that was begun may outlive the admin port, never `parts`.
class AdminOperations final : public admin::Operations,
                              public std::enable_shared_from_this<AdminOperations> {
 public:
  // All outlive it.
  struct Parts {
    net::Executor& loop;  // the admin port's
    net::Timers& timers;
    const Clock& clock;
    metrics::Log& log;
    RevocationParts& revocation;
    WorkerThread& refresher;  // the worker that renews what is known
    cache::SharedCache& cache;
    cache::DiskStore* disk;  // null: memory only
    std::uint64_t hash_seed;
    // For whom answers are signed; null: for nobody. Any thread.
    std::function<revocation::ResponderTablePtr()> responder_table{};
    // null: nobody tells. Any thread but a serving loop's.
    std::function<admin::StatusReport(const config::Config&)> status{};
  };

  AdminOperations(const Parts& parts, std::shared_ptr<const config::Config> config);
  AdminOperations(const AdminOperations&) = delete;
  AdminOperations& operator=(const AdminOperations&) = delete;
  ~AdminOperations() override;

  // After a reload; any thread.
  void apply(std::shared_ptr<const config::Config> config);
  // Nobody waits for refreshes and checks any more. Admin loop; before the loop or the worker ends.
  void stop();

  admin::Done<admin::StatusReport> status() override;
  admin::Done<admin::ShownConfig> shown_config() override;
  admin::Done<std::size_t> reset_floors(const std::string& authority,
                                        const std::string& by) override;
  admin::Done<admin::RevocationReceipt> revoke(const admin::RevocationOrder& order,
                                               const std::string& by) override;
  admin::Done<void> unrevoke(const admin::SerialOfAuthority& what, const std::string& by) override;
  admin::Done<std::vector<admin::ListedRevocation>> revoked() override;
  admin::Done<std::vector<std::string>> audit(std::size_t entries_max) override;
  admin::Done<std::vector<std::string>> decisions(std::size_t entries_max) override;
  admin::Done<admin::Purged> purge(const admin::PurgeTarget& target,
                                   const std::string& by) override;
  admin::Done<admin::Explanation> explain(const admin::CertificateQuestion& question) override;
  void refresh(const admin::RefreshTarget& target,
               Callback<admin::Done<std::vector<admin::RefreshedUrl>>> done) override;
  void check(admin::CheckQuestion question, Callback<admin::Done<std::string>> done) override;

 private:
  // One call of refresh() that waits. Admin loop only, as all that follows.
  struct Waiting {
    Callback<admin::Done<std::vector<admin::RefreshedUrl>>> done;
    std::unique_ptr<net::Timer> deadline;
    std::map<std::string, admin::RefreshedUrl> urls;
    std::size_t running = 0;
    bool began = false;
  };
  using WaitingId = std::uint64_t;

  [[nodiscard]] std::shared_ptr<const config::Config> config() const;
  [[nodiscard]] const config::Authority* find(const config::Config& config,
                                              const std::string& authority) const;
  [[nodiscard]] std::vector<std::string> urls_of(const config::Authority& authority) const;
  admin::Done<std::vector<std::string>> urls_for(const admin::RefreshTarget& target) const;
  void on_began(WaitingId id, const std::vector<std::string>& urls);
  void on_report(WaitingId id, const std::string& url, revocation::RefreshReport report);
  void finish(WaitingId id);

  Parts parts_;
  Guarded<std::shared_ptr<const config::Config>> config_;
  AdminPurge purge_;
  AdminCheck checks_;
  std::map<WaitingId, Waiting> waiting_;
  WaitingId next_id_ = 0;
};

}  // namespace revcache::proxy
