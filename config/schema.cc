#include "config/schema.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

#include "config/patterns.h"

namespace revcache::config {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::hours kDay{24};
constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kTiB = 1ULL << 40U;

constexpr std::array kOtherDestinations{
    std::pair{OtherDestinations::deny, std::string_view("deny")},
    std::pair{OtherDestinations::pass, std::string_view("pass")}};
constexpr std::array kWithoutEvidence{
    std::pair{WithoutEvidence::try_later, std::string_view("try_later")},
    std::pair{WithoutEvidence::unknown, std::string_view("unknown")},
    std::pair{WithoutEvidence::attest, std::string_view("attest")}};
constexpr std::array kLogFormats{std::pair{LogFormat::json, std::string_view("json")},
                                 std::pair{LogFormat::logfmt, std::string_view("logfmt")}};
constexpr std::array kLogLevels{std::pair{LogThreshold::debug, std::string_view("debug")},
                                std::pair{LogThreshold::info, std::string_view("info")},
                                std::pair{LogThreshold::warning, std::string_view("warning")},
                                std::pair{LogThreshold::error, std::string_view("error")}};
constexpr std::array kAccessLogs{std::pair{AccessLog::off, std::string_view("off")},
                                 std::pair{AccessLog::misses, std::string_view("misses")},
                                 std::pair{AccessLog::all, std::string_view("all")}};

std::string itself(const std::string& text) { return text; }

constexpr Codec<SocketAddress> kAddress{
    parse_listen_address, [](const SocketAddress& address) { return address.to_string(); }};
constexpr Codec<IpNetwork> kNetwork{parse_network,
                                    [](const IpNetwork& network) { return network.to_string(); }};
constexpr Codec<DestinationPattern> kDestination{
    parse_destination, [](const DestinationPattern& pattern) { return pattern.text; }};
constexpr Codec<HostAndPort> kHostAndPort{parse_host_and_port, print_host_and_port};
constexpr Codec<HostAndPort> kHostMaybePort{parse_host_maybe_port, print_host_and_port};
constexpr Codec<std::string> kHostName{parse_host_name, itself};
constexpr Codec<std::string> kHostText{parse_host_text, itself};
constexpr Codec<std::string> kMethod{parse_method, itself};
constexpr Codec<std::string> kSerial{parse_serial, itself};
constexpr Codec<std::string> kReason{parse_reason, itself};
constexpr Codec<std::string> kLabel{parse_label, itself};
constexpr Codec<http::Uri> kUrl{parse_url, [](const http::Uri& url) { return url.text(); }};

// "" means none.
Field optional_parent_proxy(std::optional<ParentProxy>& place) {
  return {.read =
              [&place](const Value& value, Findings& findings) {
                const std::string* text = expect_string(value, "a URL", findings);
                if (text == nullptr) return;
                if (text->empty()) {
                  place.reset();
                  return;
                }
                auto proxy = parse_parent_proxy(*text);
                if (proxy) {
                  place = std::move(*proxy);
                } else {
                  findings.add(value.position, std::move(proxy).error());
                }
              },
          .write =
              [&place](Secrets) {
                return toml_string(place ? print_parent_proxy(*place) : std::string());
              }};
}

// "" means none.
Field optional_label(std::string& place) {
  return scalar<std::string>(place, {.parse = [](std::string_view text) -> Parsed<std::string> {
                                       if (text.empty()) return std::string();
                                       return parse_label(text);
                                     },
                                     .print = itself});
}

std::vector<Key> listen_keys(Listen& listen, const std::string& base) {
  return {
      {"proxy", "Addresses clients connect to. [::] is IPv6 only; name 0.0.0.0 beside it for both.",
       list_of(listen.proxy, kAddress)},
      {"admin",
       "Metrics, health, status page and API. Beyond loopback everything there needs the token of\n"
       "admin.token_file.",
       scalar(listen.admin, kAddress)},
      {"tls_certificate", "Certificate chain (PEM) of the admin port; empty: plain HTTP.",
       path(listen.tls_certificate, base)},
      {"tls_key", "Its private key (PEM).", path(listen.tls_key, base)},
      {"names",
       "Our own host names: /ocsp, /crl, /ca and /proxy.pac answer only for these, for our\n"
       "addresses, or without a Host.",
       list_of(listen.names, kHostName)},
      {"workers", "Event loops, one thread each; 0: one per core.", count(listen.workers, 0, 256)},
  };
}

std::vector<Key> access_keys(Access& access) {
  return {
      {"clients", "Networks that may use the proxy.", list_of(access.clients, kNetwork)},
      {"destinations",
       "Hosts that may be fetched from: exact, or with a leading \"*.\" for all names below; then\n"
       "the scheme's default port, \":port\" or \":*\". Hosts of URLs and mirrors named in this "
       "file\n"
       "are allowed as well, for exactly their port.",
       list_of(access.destinations, kDestination)},
      {"other_destinations",
       "\"deny\", or \"pass\": stream everything else through, cached only as RFC 9111 allows.",
       choice(access.other_destinations, kOtherDestinations)},
      {"methods", "Request methods that are let through; others get 405.",
       list_of(access.methods, kMethod)},
      {"connect", "host:port pairs that CONNECT may reach. Nothing else rules CONNECT.",
       list_of(access.connect, kHostAndPort)},
      {"allow_private_destinations",
       "Private, loopback and link-local networks that may be connected to. All others of that\n"
       "kind are refused after name resolution, on every hop.",
       list_of(access.allow_private_destinations, kNetwork)},
  };
}

std::vector<Key> cache_keys(cache::Options& cache, const std::string& base) {
  return {
      {"directory", "May be lost at any time: it is only a cache.", path(cache.directory, base)},
      {"memory", "Bound of the memory tier.", size(cache.memory_bytes, kMiB, kTiB)},
      {"disk", "Bound of the disk tier, garbage on disk included; 0: no disk tier.",
       size(cache.disk_bytes, 0, 1024 * kTiB)},
      {"object_max",
       "Larger CRLs, OCSP answers and certificates are refused, other bodies are not\n"
       "kept.",
       size(cache.object_bytes_max, 1024, kTiB)},
  };
}

std::vector<Key> upstream_keys(Upstream& upstream, const std::string& base) {
  return {
      {"timeout",
       "For one answer in all: mirrors, redirects, retries. CryptoAPI gives a URL 15 s and a "
       "chain\n"
       "20 s.",
       duration(upstream.timeout, 100ms, 10min)},
      {"attempt_timeout", "For one attempt at one host.",
       duration(upstream.attempt_timeout, 100ms, 10min)},
      {"connect_timeout", "For one connection.", duration(upstream.connect_timeout, 10ms, 10min)},
      {"parent_proxy",
       "\"http://user@proxy.example.com:8080\"; empty: go directly. It is exempt from the\n"
       "private-address rule, and behind it only names can be checked.",
       optional_parent_proxy(upstream.parent_proxy)},
      {"parent_proxy_password_file", "Holds the password of that user in its first line.",
       path(upstream.parent_proxy_password_file, base)},
      {"ca_bundle", "Trusted CAs (PEM) for https origins; empty: the system's.",
       path(upstream.ca_bundle, base)},
  };
}

std::vector<Key> refresh_keys(Refresh& refresh) {
  return {
      {"interval",
       "A known CRL is asked for again this often, whatever its max-age says: revocations come "
       "off\n"
       "schedule.",
       duration(refresh.interval, 10s, kDay * 7)},
      {"keep", "A learned URL that nobody asked for in this time is dropped.",
       duration(refresh.keep, 1min, kDay * 3650)},
      {"urls", "CRL URLs known from the start.", list_of(refresh.urls, kUrl)},
  };
}

std::vector<Key> log_keys(LogOptions& log, const std::string& base) {
  return {
      {"format", "\"json\" or \"logfmt\", one line per event.", choice(log.format, kLogFormats)},
      {"level", "\"debug\", \"info\", \"warning\" or \"error\".", choice(log.level, kLogLevels)},
      {"access", "Requests to log: \"off\", \"misses\" (all but memory hits) or \"all\".",
       choice(log.access, kAccessLogs)},
      {"file", "Reopened on SIGHUP; empty: standard error.", path(log.file, base)},
  };
}

template <class Element>
TableList list_of_tables(std::string_view name, std::string_view comment,
                         std::vector<Element>& elements,
                         const std::function<Table(Element&)>& table_of) {
  return {.name = name,
          .comment = comment,
          .append = [&elements, table_of] { return table_of(elements.emplace_back()); },
          .all =
              [&elements, table_of] {
                std::vector<Table> tables;
                tables.reserve(elements.size());
                for (Element& element : elements) tables.push_back(table_of(element));
                return tables;
              }};
}

TableList mirror_list(std::vector<Mirror>& mirrors) {
  return list_of_tables<Mirror>(
      "mirror", "Hosts that publish the same paths: when one fails the next one is asked.", mirrors,
      [](Mirror& mirror) {
        return Table{{{"hosts", "In order of preference; \"host\" or \"host:port\".",
                       list_of(mirror.hosts, kHostMaybePort)}},
                     {}};
      });
}

TableList signer_list(std::vector<Signer>& signers, const std::string& base) {
  return list_of_tables<Signer>(
      "signer", "A key that signs OCSP answers.", signers, [base](Signer& signer) {
        return Table{
            {{"name", "Authorities refer to it.", scalar(signer.name, kLabel)},
             {"certificate", "With id-kp-OCSPSigning (PEM); reloaded when the file changes.",
              path(signer.certificate, base)},
             {"key", "A file (PEM) or a \"pkcs11:\" URI.", key_reference(signer.key, base)}},
            {}};
      });
}

Table attestation_table(Attestation& attest, const std::string& base) {
  return {{{"certificate", "The one certificate that is attested (PEM or DER).",
            path(attest.certificate, base)},
           {"until", "Valid until 00:00 UTC of that day.", date(attest.until)},
           {"reason", "Why, for those who come later.", free_text(attest.reason)}},
          {}};
}

Table revocation_table(ManualRevocation& revocation) {
  return {{{"serial", "In hex.", scalar(revocation.serial, kSerial)},
           {"reason", "A reason of RFC 5280 section 5.3.1.", scalar(revocation.reason, kReason)}},
          {}};
}

std::vector<Key> authority_keys(Authority& authority, const std::string& base) {
  return {
      {"name", "Becomes the label \"ca\" of metrics and part of paths.",
       scalar(authority.name, kLabel)},
      {"certificate", "Issuer of the certificates that are answered for (PEM or DER).",
       path(authority.certificate, base)},
      {"crls", "Where its genuine CRL is, although no certificate says so.",
       list_of(authority.crls, kUrl)},
      {"required", "/readyz waits for a usable CRL.", flag(authority.required)},
      {"signer", "Name of the signer of synthesized answers; empty: none are made.",
       optional_label(authority.signer)},
      {"validity",
       "Of a synthesized answer, never past its evidence. Windows keeps a good answer that long.",
       duration(authority.validity, 1min, kDay * 30)},
      {"answer_leaves", "Answer for every certificate of this CA, not only for CA certificates.",
       flag(authority.answer_leaves)},
      {"responder_hosts", "OCSP hosts in certificates whose requests we answer ourselves.",
       list_of(authority.responder_hosts, kHostText)},
      {"grace", "Serve a CRL this long past its nextUpdate; an alarm while in use.",
       duration(authority.grace, 0ms, kDay * 30)},
      {"without_evidence",
       "\"try_later\", \"unknown\" or \"attest\" (pinned certificates: good; all others: "
       "unknown).\n"
       "\"attest\" and crls exclude each other.",
       choice(authority.without_evidence, kWithoutEvidence)},
  };
}

TableList authority_list(std::vector<Authority>& authorities, const std::string& base) {
  return list_of_tables<Authority>(
      "authority", "A CA whose certificates we give answers about.", authorities,
      [base](Authority& authority) {
        return Table{
            authority_keys(authority, base),
            {list_of_tables<Attestation>(
                 "attest", "One pinned certificate that is good until a date.", authority.attest,
                 [base](Attestation& attest) { return attestation_table(attest, base); }),
             list_of_tables<ManualRevocation>("revoke", "A revocation declared by hand.",
                                              authority.revoke, revocation_table)}};
      });
}

}  // namespace

Schema schema_of(Config& config, const std::string& base_directory) {
  const std::string& base = base_directory;
  Schema schema;
  const auto section = [&schema](std::string_view name, std::string_view comment,
                                 std::vector<Key> keys) {
    schema.sections.push_back({name, comment, Table{std::move(keys), {}}});
  };
  section("listen", "Where we are reached.", listen_keys(config.listen, base));
  section("admin", "The admin port.",
          {{"token_file",
            "Holds the bearer token for everything that changes something in its first line.",
            path(config.admin.token_file, base)}});
  section("access", "Who may ask for what.", access_keys(config.access));
  section("cache", "What is kept.", cache_keys(config.cache, base));
  section("state", "What must not be lost.",
          {{"directory",
            "Manual revocations, revocations seen, rollback floors, clock floor, audit. Small,\n"
            "synced, never evicted.",
            path(config.state.directory, base)}});
  section("upstream", "How origins are asked.", upstream_keys(config.upstream, base));
  section("refresh", "CRLs are renewed before anyone waits for them.",
          refresh_keys(config.refresh));
  section("ocsp", "Answers to OCSP requests.",
          {{"nonce_budget",
            "Fresh signatures for requests with a nonce, in all; a tenth of it per client.",
            rate(config.ocsp.nonce_budget)}});
  section("log", "Events and requests.", log_keys(config.log, base));
  section("limits", "Every bound, each counted when hit.", limit_keys(config));
  schema.lists.push_back(mirror_list(config.mirrors));
  schema.lists.push_back(signer_list(config.signers, base));
  schema.lists.push_back(authority_list(config.authorities, base));
  return schema;
}

}  // namespace revcache::config
