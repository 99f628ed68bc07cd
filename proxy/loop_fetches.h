// Fetches evidence for whoever asks this server a question of its own: through the loop's cache and
// access control, as the fetch of a client that may use the proxy.
#pragma once

#include <memory>
#include <unordered_map>

#include "base/callback.h"
#include "base/result.h"
#include "pki/http_source.h"
#include "proxy/worker_context.h"

namespace revcache::proxy {

// Loop thread only; `context` outlives it. What is under way when it is destroyed tells nobody.
class LoopFetches {
 public:
  explicit LoopFetches(WorkerContext& context);
  LoopFetches(const LoopFetches&) = delete;
  LoopFetches& operator=(const LoopFetches&) = delete;
  ~LoopFetches();

  // Refused (blame client) when access.destinations does not have the host; else as
  // HttpSource::ask, within the question's timeout. `done` runs later.
  void start(const pki::HttpQuestion& question, Callback<Result<pki::HttpAnswer>> done);

 private:
  class Fetching;

  void end(Fetching& fetching, Result<pki::HttpAnswer> outcome);

  WorkerContext& context_;
  std::unordered_map<Fetching*, std::unique_ptr<Fetching>> under_way_;
};

}  // namespace revcache::proxy
