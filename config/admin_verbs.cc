#include "config/admin_verbs.h"

#include <array>
#include <string>
#include <utility>

#include "config/patterns.h"

namespace revcache::config {
namespace {

// What is wrong with a text, or nothing, as CLI11 wants it.
template <class Parse>
CLI::Validator checked_by(Parse parse) {
  return CLI::Validator(
      [parse](std::string& text) {
        const auto parsed = parse(text);
        return parsed ? std::string() : parsed.error();
      },
      std::string());
}

}  // namespace

AdminVerbs::AdminVerbs(CLI::App& app) {
  status_ = app.add_subcommand("status", "Say whether NPS can authenticate now, and why not");
  status_->add_flag("--watch", arguments_.watch, "Look again each 2 seconds, until Ctrl-C");
  status_->footer(
      "Exit codes: 0 yes, also when at risk; 1 no; 2 the instance is not reached; 4 usage.\n"
      "With --json: the answer of GET /api/v1/status, once each look.");
  CLI::App* floor = app.add_subcommand("floor", "What is refused as older than the newest seen");
  floor->require_subcommand(1);
  floor_reset_ = floor->add_subcommand(
      "reset", "Forget what was newest of an authority: after its CA was restored from a backup");
  floor_reset_->add_option("ca", arguments_.authority, "Name of the [[authority]]")
      ->required()
      ->type_name("CA");
  declare_revocations(app);
  refresh_ = app.add_subcommand("refresh", "Fetch CRLs now, and wait for what comes of it");
  refresh_
      ->add_option("target", arguments_.target,
                   "URL, or name of an [[authority]]; without it everything that is known")
      ->type_name("URL|CA");
  declare_purge(app);
  declare_policy(app);
  for (CLI::App* verb :
       {status_, floor_reset_, revoke_, unrevoke_, revoked_, refresh_, purge_, policy_explain_}) {
    add_common(*verb);
  }
}

void AdminVerbs::declare_purge(CLI::App& app) {
  purge_ = app.add_subcommand(
      "purge",
      "Remove stored responses from the cache, memory and disk: the next request asks upstream. "
      "What revcache knows about revocation stays: CRLs in use, revocations seen, revocations by "
      "hand and floors");
  auto* target = purge_->add_option_group("target", "What goes; one of these");
  target
      ->add_option("target", arguments_.target,
                   "URL (all its variants, and OCSP answers that it leads to), or name of an "
                   "[[authority]] (its CRLs, and OCSP answers about its certificates)")
      ->type_name("URL|CA");
  target->add_flag("--all", arguments_.all, "Everything that is stored");
  target->require_option(1);
  purge_->add_flag("--dry-run", arguments_.dry_run, "Say what would go, and change nothing");
}

void AdminVerbs::declare_policy(CLI::App& app) {
  CLI::App* policy = app.add_subcommand("policy", "What is answered for certificates, and why");
  policy->require_subcommand(1);
  policy_explain_ = policy->add_subcommand(
      "explain", "Which OCSP answer would be given now, by which rule and from which evidence");
  policy_explain_
      ->add_option("certificate", arguments_.certificate,
                   "Certificate, PEM or DER; of several the first")
      ->required()
      ->type_name("CERT.pem");
  policy_explain_
      ->add_option("--authority", arguments_.authority, "As asked at /ocsp/NAME, not at /ocsp")
      ->type_name("NAME");
}

void AdminVerbs::declare_revocations(CLI::App& app) {
  revoke_ = app.add_subcommand("revoke", "Answer revoked for a certificate from now on");
  add_serial(*revoke_);
  revoke_->add_option("--reason", arguments_.reason, "CRLReason of RFC 5280, as keyCompromise")
      ->type_name("REASON")
      ->check(checked_by(parse_reason))
      ->capture_default_str();
  revoke_->add_option("--note", arguments_.note, "Who and why, for the records")->type_name("TEXT");
  unrevoke_ = app.add_subcommand("unrevoke", "Lift what revoke did");
  add_serial(*unrevoke_);
  revoked_ = app.add_subcommand("revoked", "List what is revoked by hand or by the configuration");
}

void AdminVerbs::add_serial(CLI::App& verb) {
  verb.add_option("serial", arguments_.serial, "Serial number in hex, colons allowed")
      ->required()
      ->type_name("SERIAL")
      ->check(checked_by(parse_serial));
  verb.add_option("--ca", arguments_.authority, "Name of the [[authority]] that issued it")
      ->required()
      ->type_name("NAME");
}

void AdminVerbs::add_common(CLI::App& verb) {
  verb.add_option("--admin", arguments_.admin, "Admin port of the instance")
      ->type_name("URL")
      ->capture_default_str();
  verb.add_option("--token-file", arguments_.token_file, "File with the token of admin.token_file")
      ->type_name("FILE");
  verb.add_flag("--json", arguments_.json, "Write JSON for programs");
}

std::optional<Verb> AdminVerbs::parsed() const {
  const std::array<std::pair<const CLI::App*, Verb>, 8> verbs{
      {{status_, Verb::status},
       {floor_reset_, Verb::floor_reset},
       {revoke_, Verb::revoke},
       {unrevoke_, Verb::unrevoke},
       {revoked_, Verb::revoked},
       {refresh_, Verb::refresh},
       {purge_, Verb::purge},
       {policy_explain_, Verb::policy_explain}}};
  for (const auto& [app, verb] : verbs) {
    if (app->parsed()) return verb;
  }
  return std::nullopt;
}

}  // namespace revcache::config
