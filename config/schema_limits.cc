#include <chrono>
#include <cstdint>

#include "config/schema.h"

namespace revcache::config {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kKiB = 1ULL << 10U;
constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kGiB = 1ULL << 30U;
constexpr std::int64_t kMillion = 1'000'000;

std::vector<Key> connection_limits(Limits& limits) {
  return {
      {"connections", "Client connections, all workers together.",
       count(limits.connections, 1, kMillion)},
      {"connections_per_client", "Of one client address.",
       count(limits.connections_per_client, 1, kMillion)},
      {"requests_per_connection", "Then the connection is closed; 0: no bound.",
       count(limits.requests_per_connection, 0)},
      {"tunnels", "CONNECT tunnels, per worker.", count(limits.tunnels, 0, kMillion)},
      {"tunnel_idle_timeout", "Of a tunnel without a byte in either direction.",
       duration(limits.tunnel_idle_timeout, 1s, 24h)},
  };
}

std::vector<Key> message_limits(Limits& limits) {
  http::ParserLimits& parser = limits.parser;
  return {
      {"header_bytes", "Start line and fields of a message together.",
       size(parser.header_bytes_max, kKiB, kMiB)},
      {"header_fields", "Field lines of a message.", count(parser.fields_max, 8, 10'000)},
      {"target_bytes", "A request's target.", size(parser.target_bytes_max, 256, kMiB)},
      {"trailer_bytes", "Fields after a chunked body.", size(parser.trailer_bytes_max, 0, kMiB)},
      {"chunk_line_bytes", "A chunk's size with its extensions.",
       size(parser.chunk_line_bytes_max, 16, 64 * kKiB)},
      {"request_body_bytes", "A request's body.", size(limits.request_body_bytes, 0, kGiB)},
      {"ocsp_request_bytes", "The body of an OCSP request.",
       size(limits.ocsp_request_bytes, kKiB, kMiB)},
  };
}

std::vector<Key> client_timeouts(Limits& limits) {
  return {
      {"header_timeout", "From the first byte of a request to the end of its fields.",
       duration(limits.header_timeout, 100ms, 10min)},
      {"body_timeout", "Without progress of a request's body.",
       duration(limits.body_timeout, 100ms, 10min)},
      {"idle_timeout", "Between requests of a connection.",
       duration(limits.idle_timeout, 100ms, 24h)},
      {"write_timeout", "Without progress of a response.",
       duration(limits.write_timeout, 100ms, 10min)},
      {"drain_timeout", "From SIGTERM until what is left is cut off.",
       duration(limits.drain_timeout, 0ms, 1h)},
  };
}

std::vector<Key> upstream_limits(Limits& limits) {
  return {
      {"upstream_connections_per_origin", "Per worker.",
       count(limits.upstream_connections_per_origin, 1, 10'000)},
      {"upstream_idle_per_origin", "Connections kept open for later, per worker.",
       count(limits.upstream_idle_per_origin, 0, 10'000)},
      {"upstream_idle_timeout", "How long they are kept.",
       duration(limits.upstream_idle_timeout, 100ms, 1h)},
      {"upstream_queue", "Requests waiting for a connection, per worker.",
       count(limits.upstream_queue, 0, kMillion)},
      {"upstream_redirects", "Followed for one request.", count(limits.upstream_redirects, 0, 20)},
      {"upstream_rate_min", "Bytes per second of a response, over five seconds; slower ones fail.",
       size(limits.upstream_rate_min, 0, kGiB)},
  };
}

std::vector<Key> work_limits(Limits& limits, cache::Options& cache) {
  return {
      {"streamed_body_bytes",
       "Longer bodies that are no CRL, OCSP answer or certificate stream through as they come.",
       size(cache.streamed_body_bytes_min, 0, kGiB)},
      {"collapse_wait", "Of a request for another one's fetch of the same object.",
       duration(cache.collapse_wait_max, 0ms, 10min)},
      {"collapse_waiters", "Requests that wait for one fetch.",
       count(cache.collapse_waiters_max, 0, kMillion)},
      {"refresh_urls", "CRL URLs learned from clients' requests and renewed ahead of expiry.",
       count(limits.refresh_urls, 0, kMillion)},
      {"evidence_bytes", "Verified CRLs and their indexes held in memory.",
       size(limits.evidence_bytes, kMiB, 1024 * kGiB)},
      {"issuers", "Authorities, and CA certificates that chain to them.",
       count(limits.issuers, 1, 100'000)},
      {"ready_answers", "OCSP answers signed anew before they lapse, per worker.",
       count(limits.ready_answers, 1, kMillion)},
      {"checks", "Chains checked at once for the admin API.", count(limits.checks, 1, 64)},
      {"background_queue", "Tasks off the event loops, of each kind.",
       count(limits.background_queue, 1, kMillion)},
      {"background_threads", "That run them.", count(limits.background_threads, 1, 128)},
  };
}

}  // namespace

std::vector<Key> limit_keys(Config& config) {
  std::vector<Key> keys;
  const auto append = [&keys](std::vector<Key> more) {
    for (Key& key : more) keys.push_back(std::move(key));
  };
  append(connection_limits(config.limits));
  append(message_limits(config.limits));
  append(client_timeouts(config.limits));
  append(upstream_limits(config.limits));
  append(work_limits(config.limits, config.cache));
  return keys;
}

}  // namespace revcache::config
