#include "config/validate.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "config/patterns.h"
#include "config/secret_file.h"

namespace revcache::config {
namespace {

constexpr std::string_view kPkcs11 = "pkcs11:";

std::string indexed(std::string_view list, std::size_t at) {
  return std::string(list) + '[' + std::to_string(at) + ']';
}

class Validator {
 public:
  explicit Validator(const Config& config) : config_(config) {}

  std::vector<Complaint> run() {
    check_listen();
    check_admin();
    check_directories();
    check_upstream();
    check_refresh();
    check_limits();
    check_mirrors();
    check_signers();
    for (std::size_t at = 0; at < config_.authorities.size(); ++at) check_authority(at);
    check_authority_names();
    return std::move(complaints_);
  }

 private:
  void complain(std::string key, std::string message) {
    complaints_.push_back({std::move(key), std::move(message)});
  }

  void check_listen() {
    const Listen& listen = config_.listen;
    if (listen.proxy.empty()) complain("listen.proxy", "names no address");
    std::set<SocketAddress> seen;
    for (const SocketAddress& address : listen.proxy) {
      if (address.port != 0 && !seen.insert(address).second) {
        complain("listen.proxy", address.to_string() + " is named twice");
      }
    }
    if (listen.admin.port != 0 && seen.contains(listen.admin)) {
      complain("listen.admin", listen.admin.to_string() + " is an address of listen.proxy too");
    }
    if (config_.access.methods.empty()) complain("access.methods", "names no method");
  }

  void check_admin() {
    const Listen& listen = config_.listen;
    if (listen.tls_certificate.empty() != listen.tls_key.empty()) {
      const bool has_key = listen.tls_certificate.empty();
      complain(has_key ? "listen.tls_key" : "listen.tls_certificate",
               has_key ? "needs tls_certificate beside it" : "needs tls_key beside it");
    }
    check_file("listen.tls_certificate", listen.tls_certificate);
    check_file("listen.tls_key", listen.tls_key);
    if (!listen.admin.ip.is_loopback() && config_.admin.token_file.empty()) {
      complain("listen.admin", listen.admin.to_string() +
                                   " is reachable from other machines: set admin.token_file");
    }
    if (config_.admin.token_file.empty()) return;
    if (const auto token = read_secret_file(config_.admin.token_file); !token) {
      complain("admin.token_file", config_.admin.token_file + ' ' + token.error());
    }
  }

  void check_directories() {
    check_directory("cache.directory", config_.cache.directory);
    check_directory("state.directory", config_.state.directory);
    // A cache database that cannot be opened is moved away with its whole directory.
    if (is_inside(config_.state.directory, config_.cache.directory) ||
        is_inside(config_.cache.directory, config_.state.directory)) {
      complain("state.directory", "must lie outside of cache.directory, and the other way round");
    }
    if (config_.cache.object_bytes_max > config_.cache.memory_bytes &&
        config_.cache.disk_bytes == 0) {
      complain("cache.object_max", "is larger than cache.memory, and there is no disk tier");
    }
  }

  static bool is_inside(const std::string& inner, const std::string& outer) {
    const auto relative = std::filesystem::path(inner).lexically_normal().lexically_relative(
        std::filesystem::path(outer).lexically_normal());
    return !relative.empty() && *relative.begin() != "..";
  }

  void check_directory(const std::string& key, const std::string& directory) {
    if (directory.empty()) {
      complain(key, "must name a directory");
      return;
    }
    std::error_code error;
    const auto type = std::filesystem::status(directory, error).type();
    if (type != std::filesystem::file_type::not_found &&
        type != std::filesystem::file_type::directory) {
      complain(key, directory + (error ? " cannot be looked at: " + error.message()
                                       : std::string(" is no directory")));
    }
  }

  void check_file(const std::string& key, const std::string& file) {
    if (file.empty()) return;
    const std::string reason = unreadable_reason(file);
    if (!reason.empty()) complain(key, file + ' ' + reason);
  }

  void check_upstream() {
    const Upstream& upstream = config_.upstream;
    if (upstream.attempt_timeout > upstream.timeout) {
      complain("upstream.attempt_timeout", "is longer than upstream.timeout");
    }
    if (upstream.connect_timeout > upstream.attempt_timeout) {
      complain("upstream.connect_timeout", "is longer than upstream.attempt_timeout");
    }
    check_file("upstream.ca_bundle", upstream.ca_bundle);
    const bool has_user = upstream.parent_proxy && !upstream.parent_proxy->user.empty();
    if (upstream.parent_proxy_password_file.empty()) {
      if (has_user) {
        complain("upstream.parent_proxy", "names a user: set parent_proxy_password_file");
      }
      return;
    }
    if (!has_user) {
      complain("upstream.parent_proxy_password_file",
               R"(needs a user in parent_proxy, as "http://user@proxy.example.com:8080")");
    }
    if (const auto password = read_secret_file(upstream.parent_proxy_password_file); !password) {
      complain("upstream.parent_proxy_password_file",
               upstream.parent_proxy_password_file + ' ' + password.error());
    }
  }

  void check_refresh() {
    if (config_.refresh.keep < config_.refresh.interval) {
      complain("refresh.keep", "is shorter than refresh.interval");
    }
  }

  void check_limits() {
    const Limits& limits = config_.limits;
    if (limits.parser.target_bytes_max > limits.parser.header_bytes_max) {
      complain("limits.target_bytes", "is larger than limits.header_bytes");
    }
    if (limits.connections_per_client > limits.connections) {
      complain("limits.connections_per_client", "is larger than limits.connections");
    }
    if (limits.upstream_idle_per_origin > limits.upstream_connections_per_origin) {
      complain("limits.upstream_idle_per_origin",
               "is larger than limits.upstream_connections_per_origin");
    }
    if (config_.cache.streamed_body_bytes_min > config_.cache.object_bytes_max) {
      complain("limits.streamed_body_bytes", "is larger than cache.object_max");
    }
  }

  void check_mirrors() {
    std::set<HostAndPort> seen;
    for (std::size_t at = 0; at < config_.mirrors.size(); ++at) {
      const std::string key = indexed("mirror", at) + ".hosts";
      const auto& hosts = config_.mirrors[at].hosts;
      if (hosts.size() < 2) complain(key, "names fewer than two hosts");
      for (const HostAndPort& host : hosts) {
        if (!seen.insert(host).second) {
          complain(key, print_host_and_port(host) + " is named in mirrors twice");
        }
      }
    }
  }

  void check_signers() {
    std::set<std::string_view> names;
    for (std::size_t at = 0; at < config_.signers.size(); ++at) {
      const Signer& signer = config_.signers[at];
      const std::string path = indexed("signer", at);
      check_name(path, signer.name, names);
      require_file(path + ".certificate", signer.certificate);
      if (!signer.key.starts_with(kPkcs11)) require_file(path + ".key", signer.key);
    }
  }

  void check_name(const std::string& path, const std::string& name,
                  std::set<std::string_view>& names) {
    if (name.empty()) {
      complain(path + ".name", "is missing");
    } else if (!names.insert(name).second) {
      complain(path + ".name", '"' + name + "\" is there twice");
    }
  }

  void require_file(const std::string& key, const std::string& file) {
    if (file.empty()) {
      complain(key, "is missing");
    } else {
      check_file(key, file);
    }
  }

  void check_authority_names() {
    std::set<std::string_view> names;
    for (std::size_t at = 0; at < config_.authorities.size(); ++at) {
      check_name(indexed("authority", at), config_.authorities[at].name, names);
    }
  }

  void check_authority(std::size_t at) {
    const Authority& authority = config_.authorities[at];
    const std::string path = indexed("authority", at);
    require_file(path + ".certificate", authority.certificate);
    const bool signer_known =
        authority.signer.empty() ||
        std::ranges::any_of(config_.signers, [&authority](const Signer& signer) {
          return signer.name == authority.signer;
        });
    if (!signer_known) {
      complain(path + ".signer", "there is no [[signer]] named \"" + authority.signer + '"');
    }
    check_attestations(authority, path);
    check_revocations(authority, path);
  }

  void check_attestations(const Authority& authority, const std::string& path) {
    const bool attests = authority.without_evidence == WithoutEvidence::attest;
    if (attests && !authority.crls.empty()) {
      complain(path + ".without_evidence",
               "\"attest\" and crls exclude each other: genuine evidence must not be overruled");
    }
    if (attests && authority.attest.empty()) {
      complain(path + ".without_evidence", "\"attest\" needs certificates in [[authority.attest]]");
    }
    if (!attests && !authority.attest.empty()) {
      complain(path + ".attest", "has no effect without without_evidence = \"attest\"");
    }
    for (std::size_t at = 0; at < authority.attest.size(); ++at) {
      const Attestation& attest = authority.attest[at];
      const std::string entry = indexed(path + ".attest", at);
      require_file(entry + ".certificate", attest.certificate);
      if (attest.until == std::chrono::sys_days{}) complain(entry + ".until", "is missing");
      if (attest.reason.empty()) complain(entry + ".reason", "is missing");
    }
  }

  void check_revocations(const Authority& authority, const std::string& path) {
    std::set<std::string_view> serials;
    for (std::size_t at = 0; at < authority.revoke.size(); ++at) {
      const ManualRevocation& revocation = authority.revoke[at];
      const std::string entry = indexed(path + ".revoke", at);
      if (revocation.serial.empty()) {
        complain(entry + ".serial", "is missing");
      } else if (!serials.insert(revocation.serial).second) {
        complain(entry + ".serial", revocation.serial + " is there twice");
      }
      if (revocation.reason.empty()) complain(entry + ".reason", "is missing");
    }
  }

  const Config& config_;
  std::vector<Complaint> complaints_;
};

}  // namespace

std::vector<Complaint> validate(const Config& config) { return Validator(config).run(); }

std::vector<HostAndPort> named_destinations(const Config& config) {
  std::set<HostAndPort> named;
  const auto add_url = [&named](const http::Uri& url) { named.insert({url.host(), url.port()}); };
  std::ranges::for_each(config.refresh.urls, add_url);
  for (const Authority& authority : config.authorities) {
    std::ranges::for_each(authority.crls, add_url);
    // What is asked of them about other CAs goes on to them.
    for (const std::string& host : authority.responder_hosts) {
      const auto named_host = http::parse_authority(host);
      if (!named_host) continue;
      named.insert(
          {named_host->host, named_host->port.value_or(http::default_port(http::Scheme::http))});
    }
  }
  for (const Mirror& mirror : config.mirrors) {
    for (const HostAndPort& host : mirror.hosts) {
      if (host.port != 0) {
        named.insert(host);
        continue;
      }
      named.insert({host.host, http::default_port(http::Scheme::http)});
      named.insert({host.host, http::default_port(http::Scheme::https)});
    }
  }
  return {named.begin(), named.end()};
}

}  // namespace revcache::config
