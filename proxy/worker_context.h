// What the connections of one worker share. Loop thread only, but for what says otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "cache/http_cache.h"
#include "metrics/log.h"
#include "metrics/metrics.h"
#include "net/executor.h"
#include "net/timers.h"
#include "proxy/asked_question.h"
#include "proxy/connection_limits.h"
#include "proxy/request_log.h"
#include "proxy/route_memo.h"
#include "proxy/settings.h"
#include "proxy/upstream_client.h"
#include "revocation/ocsp_service.h"

namespace revcache::proxy {

struct WorkerContext {
  const Clock& clock;          // as of the current round of the loop
  const Clock& precise_clock;  // read anew each time: for measuring
  net::Timers& timers;
  net::Executor& executor;
  metrics::LoopMetrics& metrics;
  metrics::Log& log;
  RequestLog& request_log;
  cache::HttpCache& cache;
  UpstreamClient& upstream;
  ConnectionLimits& connection_limits;  // shared by all workers
  std::string instance_id;
  std::shared_ptr<const Settings> settings;
  revocation::OcspService* responder = nullptr;  // null: this worker answers for nobody
  std::uint32_t tunnels = 0;                     // CONNECT tunnels of this worker, under way

  // Scratch of the request being looked at: reused, so that a hit allocates nothing.
  RouteMemo routes;
  std::string uri_storage{};
  AskedQuestion asked{};  // where `routes` has no place for it
};

}  // namespace revcache::proxy
