// The resolver of one loop: localhost, the hosts file, its own cache, the name servers.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/dns_cache.h"
#include "net/dns_channel.h"
#include "net/hosts_file.h"
#include "net/pending_operations.h"
#include "net/resolver.h"
#include "net/uv_timers.h"

namespace revcache::net {

// Loop thread only; `loop` must outlive it. Destroying it destroys the callbacks unrun. A callback
// may destroy it.
//
// The product is there to survive outages, also of DNS: addresses that have expired stand in, up to
// cache.stale_max, when the name servers stay silent or answer with an error (RFC 8767). "No such
// name" is an answer, and no outage.
class UvResolver final : public Resolver {
 public:
  struct Options {
    DnsChannel::Options servers;
    DnsCache::Options cache;
    std::string hosts_file = "/etc/hosts";
    std::string resolv_conf = "/etc/resolv.conf";  // watched for changes, unless servers are given
    // RFC 8305 section 3: how long the answer for one family waits for that for the other.
    std::chrono::milliseconds resolution_delay{50};
    // RFC 8767 section 5: how long the servers may take before an expired address stands in.
    std::chrono::milliseconds stale_after{1800};
    std::size_t questions_max = 1024;  // different names asked for at a time
  };

  // Fails with malformed (blame: local) when options.servers cannot be used.
  static Result<std::unique_ptr<UvResolver>> open(EventLoop& loop, const Options& options);
  UvResolver(const UvResolver&) = delete;
  UvResolver& operator=(const UvResolver&) = delete;
  ~UvResolver() override;

  // Also fails with overloaded past questions_max. The name is asked for as it is: no search list.
  void resolve(const std::string& host, std::chrono::milliseconds timeout,
               Callback<Result<ResolvedHost>> done) override;

 private:
  using Done = Callback<Result<ResolvedHost>>;
  struct Waiter;
  struct Question;

  UvResolver(EventLoop& loop, const Options& options, std::unique_ptr<DnsChannel> channel);

  std::optional<Result<ResolvedHost>> answer_at_once(const std::string& host);
  Question& question_for(const std::string& host);
  void ask(Question& question);
  void add_waiter(Question& question, std::chrono::milliseconds timeout, Done done);
  void on_answer(Question& question, DnsRecord record, DnsAnswer answer);
  void on_waiter_timeout(Question& question, std::list<Waiter>::iterator waiter);
  Result<ResolvedHost> conclude(const Question& question);
  void tell(std::list<Waiter> waiters, const Result<ResolvedHost>& answer);
  void follow_resolv_conf();

  EventLoop& loop_;
  Options options_;
  UvTimers timers_;
  DnsCache cache_;
  HostsFile hosts_;
  WatchedFile resolv_conf_;
  std::shared_ptr<int> life_ = std::make_shared<int>();  // tells whether a callback destroyed this
  PendingOperations known_;                              // answers that are on their way
  std::unordered_map<std::string, std::unique_ptr<Question>> questions_;
  std::unique_ptr<DnsChannel> channel_;
  std::vector<std::unique_ptr<DnsChannel>> old_channels_;  // until their questions are answered
};

}  // namespace revcache::net
