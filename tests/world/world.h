// A whole worker in virtual time: clients, the proxy as it is, an origin, a disk. Seeded faults;
// the same seed gives the same trace.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cache/http_cache.h"
#include "config/config.h"
#include "proxy/loop_refresher.h"
#include "proxy/worker.h"
#include "revocation/admission.h"
#include "tests/sim/memory_state_store.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_resolver.h"
#include "tests/sim/sim_scheduler.h"
#include "tests/sim/sim_tier.h"
#include "tests/world/sim_origin.h"

namespace revcache::sim {

// What one request ended with.
struct ClientAnswer {
  bool complete = false;  // a whole response; false: the connection broke
  std::uint16_t status = 0;
  std::string body;
  std::string cache_status;
};

struct Seed {
  std::uint64_t value;
};

// What the proxy of a world knows about revocation.
struct WorldOptions {
  pki::CertificatePtr authority;  // of which everything is renewed ahead; null: nobody is known
  std::vector<std::string> crl_paths;  // configured as the authority's
};

class World {
 public:
  explicit World(Seed seed, WorldOptions options = {});
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  // A GET through the proxy on a new connection; `done` runs exactly once.
  void get(const std::string& path, std::function<void(const ClientAnswer&)> done,
           const std::string& extra_fields = {});
  // The same, run until it is answered.
  ClientAnswer get_now(const std::string& path, const std::string& extra_fields = {});

  // Lets everything under way end and closes the proxy. Checks that nothing is left.
  void drain_and_check();

  // Nothing comes from the origin any more, on old connections or new; until it is back.
  void silence_origin();
  void bring_origin_back();

  // The process dies without a word and starts again over the same disk.
  void crash_and_restart();

  [[nodiscard]] SimScheduler& scheduler() noexcept { return scheduler_; }
  [[nodiscard]] SimNetwork& network() noexcept { return network_; }
  [[nodiscard]] SimOrigin& origin() noexcept { return origin_; }
  [[nodiscard]] SimTier& disk() noexcept { return disk_; }
  [[nodiscard]] cache::SharedCache& cache() noexcept;
  [[nodiscard]] revocation::Evidence& evidence() noexcept;
  [[nodiscard]] const metrics::LoopMetrics& metrics() const noexcept;
  [[nodiscard]] std::uint64_t answers() const noexcept { return answers_; }
  [[nodiscard]] std::uint64_t asked() const noexcept { return asked_; }
  static SocketAddress origin_address();
  static SocketAddress proxy_address();

 private:
  struct Proxy;

  const WorldOptions options_;
  SimScheduler scheduler_;
  SimNetwork network_;
  SimResolver resolver_;
  MemoryStateStore state_;
  SimTier disk_;
  SimOrigin origin_;
  std::shared_ptr<proxy::Settings> settings_;
  std::unique_ptr<Proxy> proxy_;
  std::uint64_t answers_ = 0;
  std::uint64_t asked_ = 0;
};

}  // namespace revcache::sim
