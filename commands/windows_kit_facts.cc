#include "commands/windows_kit_facts.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "commands/input_file.h"
#include "http/uri.h"
#include "pki/der_writer.h"

namespace revcache::commands {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr pki::Tag kUriTag = 0x86;  // GeneralName uniformResourceIdentifier [6] IMPLICIT
constexpr std::array<std::uint8_t, 8> kOcspAccessMethod{0x2b, 6, 1, 5, 5, 7, 48, 1};

std::unexpected<Error> refused(std::string detail) {
  return fail(ErrorCode::refused, Blame::local, std::move(detail));
}

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// How others reach us, as far as the configuration tells.
std::optional<std::string> configured_url(const config::Listen& listen) {
  const std::string port = ":" + std::to_string(listen.proxy.front().port);
  if (!listen.names.empty()) return "http://" + listen.names.front() + port;
  const IpAddress& ip = listen.proxy.front().ip;
  const bool is_any =
      std::ranges::all_of(ip.octets(), [](std::uint8_t octet) { return octet == 0; });
  if (is_any || ip.is_loopback()) return std::nullopt;
  return "http://" + listen.proxy.front().to_string();
}

// Nothing that a script, a proxy list or an INF could take for more than a name.
bool is_plain_host(const http::Uri& url) {
  if (url.ip()) return true;
  return std::ranges::all_of(url.host(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

Result<http::Uri> own_url(const config::Config& config, const std::string& wanted) {
  const auto text = wanted.empty() ? configured_url(config.listen) : wanted;
  if (!text) {
    return refused(
        "the configuration does not tell how other machines reach this one: set listen.names, or "
        "give --url http://host:port");
  }
  std::string storage;
  const auto url = http::parse_absolute_form(*text, storage);
  if (!url) return refused("--url: " + url.error().detail);
  if (url->scheme != http::Scheme::http || url->path != "/" || !is_plain_host(http::Uri(*url))) {
    return refused("--url: \"http://host:port\" was expected, with nothing behind the port");
  }
  return http::Uri(*url);
}

// Own paths are answered for our names and addresses only; elsewhere we would be a reverse proxy.
void warn_about_url(const http::Uri& url, const config::Listen& listen, KitFacts& facts) {
  const bool is_port = std::ranges::any_of(
      listen.proxy, [&](const SocketAddress& one) { return one.port == url.port(); });
  if (url.ip() ? url.ip()->is_loopback() : url.host() == "localhost") {
    facts.warnings.push_back(url.text() + " is reached from this machine only");
  } else if (!url.ip() && std::ranges::find(listen.names, url.host()) == listen.names.end()) {
    facts.warnings.push_back("revcache answers /ocsp only for its own names: add \"" + url.host() +
                             "\" to listen.names");
  }
  if (!is_port && (url.ip() || url.port() != kHttpPort)) {
    facts.warnings.push_back("no address of listen.proxy has the port " +
                             std::to_string(url.port()));
  }
}

Result<std::vector<pki::CertificatePtr>> certificates_in(const std::string& file) {
  auto bytes = read_input(file, pki::kCertificateFileBytesMax);
  if (!bytes) return fail(std::move(bytes));
  auto certificates = pki::parse_certificates(bytes->text());
  if (!certificates) {
    return fail(ErrorCode::malformed, Blame::local, file + ": " + certificates.error().detail);
  }
  return std::move(*certificates);
}

class Gathering {
 public:
  Gathering(const config::Config& config, const config::WindowsKitArguments& arguments,
            WallTime now)
      : config_(config), arguments_(arguments), now_(now) {}

  Result<KitFacts> run() && {
    const auto url = own_url(config_, arguments_.url);
    if (!url) return std::unexpected(url.error());
    facts_.url = "http://" + std::string(url->authority());
    const std::string port = ":" + std::to_string(url->port());
    facts_.host = url->ip() && !url->ip()->is_v4() ? '[' + url->host() + ']' : url->host();
    facts_.proxy = facts_.host + port;
    facts_.others_denied = config_.access.other_destinations == config::OtherDestinations::deny;
    warn_about_url(*url, config_.listen, facts_);
    const auto chosen = choose();
    if (!chosen) return std::unexpected(chosen.error());
    for (const config::Authority* authority : *chosen) {
      if (auto added = add(*authority); !added) return std::unexpected(std::move(added).error());
    }
    return std::move(facts_);
  }

 private:
  [[nodiscard]] Result<std::vector<const config::Authority*>> choose() const {
    std::vector<const config::Authority*> chosen;
    for (const config::Authority& authority : config_.authorities) {
      const bool is_named =
          std::ranges::find(arguments_.authorities, authority.name) != arguments_.authorities.end();
      if (!arguments_.authorities.empty() && !is_named) continue;
      if (!authority.signer.empty()) {
        chosen.push_back(&authority);
      } else if (is_named) {
        return refused("[[authority]] " + authority.name +
                       " has no signer: revcache does not answer for it");
      }
    }
    for (const std::string& name : arguments_.authorities) {
      if (std::ranges::find(config_.authorities, name, &config::Authority::name) ==
          config_.authorities.end()) {
        return refused("there is no [[authority]] named \"" + name + '"');
      }
    }
    if (chosen.empty()) {
      return refused(
          "no [[authority]] has a signer, so that revcache answers for none: \"revcache signer "
          "new\" makes one");
    }
    return chosen;
  }

  Result<void> add(const config::Authority& configured) {
    auto certificates = certificates_in(configured.certificate);
    if (!certificates) return std::unexpected(std::move(certificates).error());
    const pki::CertificatePtr& own = certificates->front();
    if (auto single = admit(configured.name, *own); !single) return single;
    KitAuthority authority{.name = configured.name,
                           .certificate = {.file = "ca-" + configured.name + ".cer",
                                           .certificate = own,
                                           .store = own->is_self_issued() ? "Root" : "CA"},
                           .ocsp_url = facts_.url + "/ocsp/" + configured.name,
                           .aia = {},
                           .crl_url = {},
                           .signer_kind = {},
                           .signer = {},
                           .trust = {}};
    authority.aia = ocsp_access(authority.ocsp_url);
    if (!configured.crls.empty()) {
      authority.crl_url = facts_.url + "/crl/" + configured.name + ".crl";
    }
    if (auto signer = add_signer(configured.signer, authority); !signer) return signer;
    facts_.authorities.push_back(std::move(authority));
    return {};
  }

  // A certificate in a store has one OCSP URL, and files on Windows no case.
  Result<void> admit(const std::string& name, const pki::Certificate& certificate) {
    for (const KitAuthority& other : facts_.authorities) {
      if (lower_case(other.name) == lower_case(name)) {
        return refused("the names " + other.name + " and " + name +
                       " are one file name on Windows: choose with --authority");
      }
      if (other.certificate.certificate->der.text() == certificate.der.text()) {
        return refused("[[authority]] " + other.name + " and " + name +
                       " are the same CA: choose one with --authority");
      }
    }
    if (certificate.is_ca) return {};
    return refused("the certificate of [[authority]] " + name + " is no CA certificate");
  }

  Result<void> add_signer(const std::string& name, KitAuthority& authority) {
    const auto configured = std::ranges::find(config_.signers, name, &config::Signer::name);
    if (configured == config_.signers.end()) return refused("there is no [[signer]] " + name);
    auto certificates = certificates_in(configured->certificate);
    if (!certificates) return std::unexpected(std::move(certificates).error());
    const pki::Certificate& issuer = *authority.certificate.certificate;
    const auto findings = pki::check_signer(*certificates, issuer, now_);
    for (const pki::SignerFinding& finding : findings) {
      const std::string text = "signer " + name + " for " + authority.name + ": " + finding.text;
      if (finding.severity == pki::SignerSeverity::refused) return refused(text);
      if (finding.severity != pki::SignerSeverity::info) facts_.warnings.push_back(text);
    }
    authority.signer = certificates->front();
    authority.signer_kind = pki::signer_kind(*authority.signer, issuer);
    if (authority.signer_kind == pki::SignerKind::independent) trust_signer(name, authority);
    return {};
  }

  void trust_signer(const std::string& name, KitAuthority& authority) {
    if (!authority.signer->is_self_issued()) {
      // To trust somebody's root for everything that it issues is not ours to decide.
      facts_.warnings.push_back("signer " + name + ": the servers must trust the root that \"" +
                                pki::name_text(authority.signer->issuer) +
                                "\" leads to already; the kit does not add it");
      return;
    }
    if (authority.signer->is_ca) {
      facts_.warnings.push_back("signer " + name +
                                ": its certificate may issue others; once it is a trusted root, "
                                "whoever has its key can make any certificate");
    }
    authority.trust.push_back(
        {.file = "signer-" + name + ".cer", .certificate = authority.signer, .store = "Root"});
  }

  const config::Config& config_;
  const config::WindowsKitArguments& arguments_;
  WallTime now_;
  KitFacts facts_;
};

}  // namespace

std::string ocsp_access(std::string_view url) {
  pki::DerWriter writer;
  writer.constructed(pki::kSequenceTag, [&] {
    writer.constructed(pki::kSequenceTag, [&] {
      writer.primitive(pki::kObjectIdentifierTag, kOcspAccessMethod);
      writer.primitive(kUriTag, as_bytes(url));
    });
  });
  return std::move(writer).take();
}

Result<KitFacts> gather_kit_facts(const config::Config& config,
                                  const config::WindowsKitArguments& arguments, WallTime now) {
  return Gathering(config, arguments, now).run();
}

}  // namespace revcache::commands
