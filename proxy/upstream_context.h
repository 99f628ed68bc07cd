// What the upstream operations of one worker share.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "proxy/upstream_client.h"
#include "proxy/upstream_dial.h"
#include "proxy/upstream_mirrors.h"
#include "proxy/upstream_pool.h"

namespace revcache::proxy {

// Held by the client and by each operation under way. Loop thread only.
struct UpstreamContext {
  UpstreamContext(UpstreamEnvironment services, UpstreamSettings initial)
      : environment(std::move(services)),
        settings(std::move(initial)),
        pool(environment.timers, environment.clock, environment.metrics, settings.config->limits),
        mirrors(settings.config->mirrors) {}

  UpstreamEnvironment environment;
  UpstreamSettings settings;
  UpstreamPool pool;
  UpstreamMirrors mirrors;
  std::vector<std::weak_ptr<UpstreamDial>> tunnels;  // being opened
};

}  // namespace revcache::proxy
