#include "proxy/process_setup.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace revcache::proxy {

std::string instance_id(std::uint64_t seed) {
  char text[32];
  static_cast<void>(
      std::snprintf(text, sizeof text, "revcache-%016llx", static_cast<unsigned long long>(seed)));
  return text;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
}

unsigned worker_count(unsigned configured) {
  if (configured != 0) return configured;
  return std::max(1U, std::thread::hardware_concurrency());
}

net::WorkLimits::Options work_options(const config::Limits& limits) {
  return {.disk_max = limits.background_queue,
          .parse_max = limits.background_queue,
          .sign_max = limits.background_queue,
          .serialise_max = limits.background_queue};
}

std::string notify_address() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): read before any other thread exists
  const char* address = std::getenv("NOTIFY_SOCKET");
  return address == nullptr ? std::string() : std::string(address);
}

}  // namespace revcache::proxy
