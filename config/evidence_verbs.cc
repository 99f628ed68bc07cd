#include "config/evidence_verbs.h"

#include <array>
#include <map>
#include <string>
#include <utility>

namespace revcache::config {
namespace {

// The first second that has no four-digit year: RFC 3339 cannot write it.
constexpr std::int64_t kTimeMax = 253402300799;

void add_files(CLI::App& verb, const std::string& name, std::vector<std::string>& place,
               const std::string& description) {
  verb.add_option(name, place, description + "; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

CLI::Option* add_file(CLI::App& verb, const std::string& name, std::string& place,
                      const std::string& description) {
  return verb.add_option(name, place, description)->type_name("FILE");
}

void add_time(CLI::App& verb, std::optional<std::int64_t>& place) {
  verb.add_option("--at", place, "Judge as of this time, in seconds since 1970")
      ->type_name("UNIX")
      ->check(CLI::Range(std::int64_t{0}, kTimeMax));
}

}  // namespace

EvidenceVerbs::EvidenceVerbs(CLI::App& app) {
  declare_check(app);
  declare_crl(app);
  declare_ocsp(app);
}

void EvidenceVerbs::add_common(CLI::App& verb) {
  verb.add_flag("--json", arguments_.json, "Write JSON for programs");
}

void EvidenceVerbs::add_fetching(CLI::App& verb) {
  verb.add_option("--via", arguments_.via, "Fetch through this proxy: http://host:port")
      ->type_name("URL");
}

void EvidenceVerbs::declare_check(CLI::App& app) {
  check_ = app.add_subcommand("check",
                              "Say whether a certificate is revoked, what NPS would say, "
                              "and why");
  add_file(*check_, "chain", arguments_.input,
           "The certificate and its chain, leaf first (PEM, DER, PKCS#7)")
      ->required();
  add_files(*check_, "--trust", arguments_.trust,
            "Trusted roots; without it the self-signed certificate of the chain");
  add_files(*check_, "--extra", arguments_.extra, "More CA certificates, not trusted");
  add_files(*check_, "--crl", arguments_.crls, "A CRL at hand");
  add_files(*check_, "--ocsp", arguments_.ocsp, "An OCSP response at hand");
  add_time(*check_, arguments_.at);
  add_fetching(*check_);
  check_->add_flag("--offline", arguments_.offline, "Fetch nothing");
  const std::map<std::string, CheckProfile> profiles{{"nps", CheckProfile::nps},
                                                     {"pkix", CheckProfile::pkix}};
  check_
      ->add_option("--profile", arguments_.profile,
                   "As a Windows NPS server checks (default), or plain RFC 5280")
      ->transform(CLI::CheckedTransformer(profiles))
      ->type_name("nps|pkix");
  check_->add_option("--max-age", arguments_.age_max_s, "Evidence older than this is no evidence")
      ->type_name("SECONDS")
      ->check(CLI::NonNegativeNumber);
  check_->add_flag("--allow-sha1", arguments_.allow_sha1, "Admit SHA-1 signatures");
  add_common(*check_);
}

void EvidenceVerbs::declare_crl(CLI::App& app) {
  CLI::App* crl = app.add_subcommand("crl", "Look at CRLs");
  crl->require_subcommand(1);
  crl_show_ = crl->add_subcommand("show", "Print what a CRL says");
  crl_show_->add_option("crl", arguments_.input, "File (PEM, DER) or http URL")
      ->type_name("FILE")
      ->required();
  crl_fetch_ = crl->add_subcommand("fetch", "Fetch a CRL, see that it is one, keep it");
  crl_fetch_->add_option("url", arguments_.input, "http URL")->type_name("URL")->required();
  add_file(*crl_fetch_, "-o,--output", arguments_.output, "Where to write it, as DER");
  for (CLI::App* verb : {crl_show_, crl_fetch_}) {
    add_fetching(*verb);
    add_common(*verb);
  }
}

void EvidenceVerbs::declare_ocsp(CLI::App& app) {
  CLI::App* ocsp = app.add_subcommand("ocsp", "Look at OCSP answers");
  ocsp->require_subcommand(1);
  ocsp_show_ = ocsp->add_subcommand("show", "Print what an OCSP response says");
  add_file(*ocsp_show_, "response", arguments_.input, "OCSP response (DER)")->required();
  ocsp_ask_ = ocsp->add_subcommand("ask", "Ask a responder about a certificate");
  add_file(*ocsp_ask_, "--cert", arguments_.certificate, "The certificate")->required();
  add_file(*ocsp_ask_, "--issuer", arguments_.issuer, "Its issuer's certificate")->required();
  ocsp_ask_->add_option("--url", arguments_.url, "Responder, instead of the one that it names")
      ->type_name("URL");
  add_file(*ocsp_ask_, "-o,--output", arguments_.output, "Where to write the response");
  add_files(*ocsp_ask_, "--trust", arguments_.trust, "A responder's certificate to be trusted");
  add_fetching(*ocsp_ask_);
  ocsp_verify_ = ocsp->add_subcommand("verify", "Say whether an OCSP response is to be trusted");
  add_file(*ocsp_verify_, "--ocsp", arguments_.input, "OCSP response (DER)")->required();
  ocsp_verify_
      ->add_option("--trust", arguments_.trust,
                   "Trusted roots, issuers and responders; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->required();
  add_files(*ocsp_verify_, "--extra", arguments_.extra, "More CA certificates, not trusted");
  for (CLI::App* verb : {ocsp_ask_, ocsp_verify_}) {
    add_time(*verb, arguments_.at);
    verb->add_flag("--allow-sha1", arguments_.allow_sha1, "Admit SHA-1 signatures");
  }
  for (CLI::App* verb : {ocsp_show_, ocsp_ask_, ocsp_verify_}) add_common(*verb);
}

std::optional<Verb> EvidenceVerbs::parsed() const {
  const std::array<std::pair<const CLI::App*, Verb>, 6> verbs{{{check_, Verb::check},
                                                               {crl_show_, Verb::crl_show},
                                                               {crl_fetch_, Verb::crl_fetch},
                                                               {ocsp_show_, Verb::ocsp_show},
                                                               {ocsp_ask_, Verb::ocsp_ask},
                                                               {ocsp_verify_, Verb::ocsp_verify}}};
  for (const auto& [app, verb] : verbs) {
    if (app->parsed()) return verb;
  }
  return std::nullopt;
}

}  // namespace revcache::config
