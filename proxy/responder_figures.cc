#include "proxy/responder_figures.h"

#include <string_view>
#include <utility>

#include "metrics/families.h"
#include "revocation/answer_policy.h"

namespace revcache::proxy {

namespace {

using revocation::Outcome;

std::string_view response_status(Outcome outcome) noexcept {
  if (outcome == Outcome::try_later) return "tryLater";
  if (outcome == Outcome::unauthorized) return "unauthorized";
  return "successful";
}

std::string_view cert_status(Outcome outcome) noexcept {
  return outcome <= Outcome::unknown ? revocation::to_string(outcome) : "none";
}

}  // namespace

metrics::ResponderLabels responder_labels(const revocation::ResponderTable& table) {
  metrics::ResponderLabels labels;
  for (const auto& authority : table.authorities) {
    if (labels.authorities.size() <= authority.label) {
      labels.authorities.resize(authority.label + 1);
    }
    labels.authorities[authority.label] = {.name = authority.name, .signer = authority.signer_name};
  }
  for (std::size_t at = 0; at < labels.rules.size(); ++at) {
    const auto rule = static_cast<revocation::Rule>(at);
    const Outcome outcome = revocation::outcome_of(rule);
    labels.rules[at] = {.name = revocation::to_string(rule),
                        .decision = revocation::to_string(outcome),
                        .response_status = response_status(outcome),
                        .cert_status = cert_status(outcome)};
  }
  return labels;
}

std::vector<prometheus::MetricFamily> signer_families(const revocation::SignerWatch& signers) {
  auto not_after =
      metrics::gauge_family("revcache_signer_not_after_timestamp_seconds",
                            "When the signer's certificate, or one that it needs, ends.");
  auto usable = metrics::gauge_family("revcache_signer_usable",
                                      "1 while the signer may sign for an authority, else 0.");
  for (const auto& signer : signers.signers()) {
    not_after.add({{"signer", signer.name}},
                  static_cast<double>(signer.not_after.time_since_epoch().count()));
    usable.add({{"signer", signer.name}}, signer.usable ? 1.0 : 0.0);
  }
  std::vector<prometheus::MetricFamily> families;
  std::move(not_after).move_to(families);
  std::move(usable).move_to(families);
  return families;
}

}  // namespace revcache::proxy
