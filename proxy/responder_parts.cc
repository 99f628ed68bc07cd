#include "proxy/responder_parts.h"

#include <string>
#include <utility>

#include "pki/certificate.h"
#include "proxy/certificate_file.h"
#include "revocation/answer_policy.h"

namespace revcache::proxy {

namespace {

using revocation::AnsweredAuthority;

revocation::WithoutEvidence without_evidence(config::WithoutEvidence configured) noexcept {
  switch (configured) {
    case config::WithoutEvidence::unknown:
      return revocation::WithoutEvidence::unknown;
    case config::WithoutEvidence::attest:
      return revocation::WithoutEvidence::attest;
    case config::WithoutEvidence::try_later:
      break;
  }
  return revocation::WithoutEvidence::try_later;
}

Result<AnsweredAuthority> answered(const config::Authority& authority,
                                   const pki::CertificatePtr& certificate) {
  AnsweredAuthority answered{
      .name = authority.name,
      .certificate = certificate,
      .signer = authority.signer,
      .responder_hosts = authority.responder_hosts,
      .policy = {.validity = authority.validity,
                 .answer_leaves = authority.answer_leaves,
                 .without_evidence = without_evidence(authority.without_evidence),
                 .attested = {}}};
  for (const config::Attestation& attest : authority.attest) {
    auto pinned = read_certificate(attest.certificate);
    if (!pinned) return fail(std::move(pinned));
    auto made =
        revocation::make_attestation(*std::move(pinned), attest.until, attest.reason, *certificate);
    if (!made) {
      return fail(made.error().code, Blame::local,
                  attest.certificate + ": " + made.error().detail + " (authority \"" +
                      authority.name + "\")");
    }
    answered.policy.attested.push_back(*std::move(made));
  }
  return answered;
}

}  // namespace

ResponderParts::ResponderParts(RevocationParts& revocation, cache::MemoryTier& memory,
                               const config::Config& config, std::uint64_t hash_seed,
                               const Clock& clock, metrics::Log& log)
    : clock_(clock),
      signers_(log),
      nonce_budget_(config.ocsp.nonce_budget.per_second),
      journal_(revocation.state(), log),
      signatures_(config.cache.collapse_waiters_max, hash_seed),
      shared_{.memory = memory,
              .signatures = signatures_,
              .nonce_budget = nonce_budget_,
              .clock_guard = revocation.clock_guard(),
              .journal = journal_,
              .state_unreadable = revocation.state_unreadable()} {
  signers_.on_change([this](const revocation::ResponderTablePtr& table) {
    subscribers_.with([&](const auto& subscribers) {
      for (const auto& send : subscribers) send(table);
    });
  });
}

Result<void> ResponderParts::apply(const Settings& settings) {
  std::vector<revocation::SignerSource> signers;
  for (const config::Signer& signer : settings.config->signers) {
    signers.push_back(
        {.name = signer.name, .files = {.certificate = signer.certificate, .key = signer.key}});
  }
  std::vector<AnsweredAuthority> authorities;
  for (const config::Authority& authority : settings.config->authorities) {
    if (authority.signer.empty()) continue;
    auto made = answered(authority, settings.authority_certificates.at(authority.name));
    if (!made) return fail(std::move(made));
    authorities.push_back(*std::move(made));
  }
  auto configured = signers_.configure(std::move(signers), std::move(authorities), clock_.wall());
  if (configured) nonce_budget_.set_rate(settings.config->ocsp.nonce_budget.per_second);
  return configured;
}

void ResponderParts::subscribe(std::function<void(const revocation::ResponderTablePtr&)> send) {
  subscribers_.with([&](auto& subscribers) {
    send(signers_.table());
    subscribers.push_back(std::move(send));
  });
}

void ResponderParts::detach() {
  subscribers_.with([](auto& subscribers) { subscribers.clear(); });
}

}  // namespace revcache::proxy
