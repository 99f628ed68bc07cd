// Effective settings: every key of the configuration with its default. Filled by load.h, checked by
// validate.h; immutable afterwards and shared by all parts. Paths are absolute. Lists, and the
// directories, get their defaults from defaults.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "cache/options.h"
#include "http/message.h"
#include "http/parser.h"
#include "http/uri.h"
#include "metrics/log_options.h"

namespace revcache::config {

using Milliseconds = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

struct Listen {
  std::vector<SocketAddress> proxy;  // default 127.0.0.1:3128
  SocketAddress admin;               // default 127.0.0.1:9853
  std::string tls_certificate;       // of the admin port
  std::string tls_key;
  std::vector<std::string> names;  // lower case
  unsigned workers = 0;            // 0: one per core
};

struct Admin {
  std::string token_file;
};

// "*.pki.azure.net", "ocsp.example.com:8080". port: nullopt means the scheme's default port.
struct DestinationPattern {
  std::string text;  // as configured: the metric label
  std::string host;  // without "*."; lower case
  bool subdomains = false;
  std::optional<std::uint16_t> port;
  bool any_port = false;  // ":*"
};

struct HostAndPort {
  std::string host;
  std::uint16_t port = 0;
  friend auto operator<=>(const HostAndPort&, const HostAndPort&) = default;
};

enum class OtherDestinations : std::uint8_t { deny, pass };

struct Access {
  std::vector<IpNetwork> clients;  // default: loopback and private ranges
  std::vector<DestinationPattern> destinations;
  std::vector<HostAndPort> named_destinations;  // of URLs named anywhere in the file
  OtherDestinations other_destinations = OtherDestinations::deny;
  std::vector<std::string> methods{"GET", "HEAD", "POST", "OPTIONS"};
  std::vector<HostAndPort> connect;
  std::vector<IpNetwork> allow_private_destinations;
};

struct State {
  std::string directory = "/var/lib/revcache/state";
};

struct ParentProxy {
  std::string host;
  std::uint16_t port = 0;
  std::string user;      // empty: no credentials
  std::string password;  // from parent_proxy_password_file; never shown
};

struct Upstream {
  Milliseconds timeout{9000};
  Milliseconds attempt_timeout{4000};
  Milliseconds connect_timeout{2000};
  std::optional<ParentProxy> parent_proxy;
  std::string parent_proxy_password_file;
  std::string ca_bundle;
};

struct Mirror {
  std::vector<HostAndPort> hosts;  // port 0: the scheme's default
};

struct Refresh {
  Seconds interval{900};
  Seconds keep{30 * 86400};
  std::vector<http::Uri> urls;
};

struct Rate {
  double per_second = 0;
};

struct Ocsp {
  Rate nonce_budget{50};
};

struct Signer {
  std::string name;
  std::string certificate;
  std::string key;
};

enum class WithoutEvidence : std::uint8_t { try_later, unknown, attest };

struct Attestation {
  std::string certificate;
  std::chrono::sys_days until;
  std::string reason;
};

struct ManualRevocation {
  std::string serial;  // lower-case hex, no leading 00 unless it is the only octet
  std::string reason;
};

struct Authority {
  std::string name;
  std::string certificate;
  std::vector<http::Uri> crls;
  bool required = true;
  std::string signer;
  Seconds validity{3600};
  bool answer_leaves = true;
  std::vector<std::string> responder_hosts;
  Seconds grace{0};
  WithoutEvidence without_evidence = WithoutEvidence::try_later;
  std::vector<Attestation> attest;
  std::vector<ManualRevocation> revoke;
};

using LogFormat = metrics::LogFormat;
using LogThreshold = metrics::LogLevel;
using AccessLog = metrics::AccessLogMode;
using LogOptions = metrics::LogOptions;

// [limits]: every bound has a name, a default and a counter (metrics::Limit).
struct Limits {
  std::uint32_t connections = 20000;            // client connections, all workers together
  std::uint32_t connections_per_client = 4096;  // per address
  http::ParserLimits parser;                    // header_bytes, header_fields, target_bytes, …
  std::uint64_t request_body_bytes = 1ULL << 20U;
  std::uint64_t ocsp_request_bytes = 64ULL << 10U;
  Milliseconds header_timeout{10000};         // from a request's first byte to its head's end
  Milliseconds body_timeout{30000};           // without progress of a request body
  Milliseconds idle_timeout{75000};           // between requests
  Milliseconds write_timeout{30000};          // without progress of a response
  Milliseconds drain_timeout{20000};          // after SIGTERM
  std::uint32_t requests_per_connection = 0;  // 0: no bound
  std::uint32_t tunnels = 256;                // CONNECT, per worker
  Milliseconds tunnel_idle_timeout{300000};
  std::uint32_t upstream_connections_per_origin = 32;  // per worker
  std::uint32_t upstream_idle_per_origin = 8;
  Milliseconds upstream_idle_timeout{30000};
  std::uint32_t upstream_queue = 1024;  // requests waiting for a connection, per worker
  std::uint32_t upstream_redirects = 5;
  std::uint64_t upstream_rate_min = 512;       // bytes per second over 5 s of a response body
  std::uint32_t refresh_urls = 4096;           // learned CRL URLs that are renewed
  std::uint64_t evidence_bytes = 1ULL << 30U;  // verified CRLs and their indexes, in memory
  std::uint32_t issuers = 256;                 // authorities and CA certificates that chain to them
  std::uint32_t ready_answers = 4096;     // OCSP answers signed anew before they lapse, per worker
  std::uint32_t checks = 2;               // POST /api/v1/check, at once
  std::uint32_t background_queue = 1024;  // tasks off-loop, of each kind
  std::uint32_t background_threads = 4;
};

struct Config {
  Listen listen;
  Admin admin;
  Access access;
  cache::Options cache;
  State state;
  Upstream upstream;
  std::vector<Mirror> mirrors;
  Refresh refresh;
  Ocsp ocsp;
  std::vector<Signer> signers;
  std::vector<Authority> authorities;
  LogOptions log;
  Limits limits;
  std::string source;  // file name, or empty for built-in defaults
};

}  // namespace revcache::config
