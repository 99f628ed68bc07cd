#include "revocation/evidence_counters.h"

#include <utility>

#include "metrics/families.h"

namespace revcache::revocation {

namespace {

using metrics::counter_family;
using metrics::Family;
using metrics::SharedCounter;

void add_by_kind(Family family, const std::array<SharedCounter, kObjectKinds>& counters,
                 std::vector<prometheus::MetricFamily>& out) {
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    family.add({{"kind", to_string(static_cast<ObjectKind>(kind))}}, counters[kind].value());
  }
  std::move(family).move_to(out);
}

void add_single(Family family, const SharedCounter& counter,
                std::vector<prometheus::MetricFamily>& out) {
  family.add({}, counter.value());
  std::move(family).move_to(out);
}

void add_rollbacks(const EvidenceCounters& counters, std::vector<prometheus::MetricFamily>& out) {
  Family family = counter_family("revcache_crl_rollback_rejected_total",
                                 "CRLs refused because a newer one had been seen.");
  for (const ObjectKind kind : {ObjectKind::crl, ObjectKind::delta_crl}) {
    const auto& refused = counters.refused[static_cast<std::size_t>(kind)];
    family.add({{"kind", to_string(kind)}},
               refused[static_cast<std::size_t>(pki::Refusal::rolled_back)].value());
  }
  std::move(family).move_to(out);
}

void add_removed(const EvidenceCounters& counters, std::vector<prometheus::MetricFamily>& out) {
  Family family = counter_family("revcache_crl_entries_removed_total",
                                 "Revocations that a newer CRL lists no more, lifted or not.");
  family.add({}, counters.revocations_lifted.value() + counters.revocations_disappeared.value());
  std::move(family).move_to(out);
}

void add_parse_duration(const metrics::SharedLatencyHistogram& histogram,
                        std::vector<prometheus::MetricFamily>& out) {
  Family family = metrics::histogram_family("revcache_crl_parse_duration_seconds",
                                            "Time to read and index a CRL, without its signature.");
  metrics::HistogramSum sum;
  sum.add(histogram);
  family.add({}, sum);
  std::move(family).move_to(out);
}

}  // namespace

std::vector<prometheus::MetricFamily> EvidenceCounters::families() const {
  std::vector<prometheus::MetricFamily> out;
  Family refusals = counter_family("revcache_evidence_refused_total",
                                   "Bodies that were refused, or are no evidence, by reason.");
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    for (std::size_t reason = 0; reason < pki::kRefusals; ++reason) {
      const auto count = refused[kind][reason].value();
      // An alarm must see the first one, too.
      const bool always_shown = kind <= static_cast<std::size_t>(ObjectKind::delta_crl);
      if (count == 0 && !always_shown) continue;
      refusals.add({{"kind", to_string(static_cast<ObjectKind>(kind))},
                    {"reason", pki::to_string(static_cast<pki::Refusal>(reason))}},
                   count);
    }
  }
  std::move(refusals).move_to(out);
  add_rollbacks(*this, out);
  add_parse_duration(crl_parse_duration, out);
  add_by_kind(counter_family("revcache_evidence_verified_total",
                             "Bodies that verified under an authority."),
              verified, out);
  add_by_kind(
      counter_family("revcache_evidence_unverified_total",
                     "Bodies of issuers that no authority vouches for: cached, no evidence."),
      unverified, out);
  add_single(
      counter_family("revcache_crl_entries_added_total", "Revocations seen for the first time."),
      revocations_added, out);
  add_removed(*this, out);
  add_single(counter_family("revcache_crl_entries_lifted_total",
                            "Revocations lifted by newer evidence: the end of a hold."),
             revocations_lifted, out);
  add_single(
      counter_family("revcache_crl_entries_disappeared_total",
                     "Revocations that a newer CRL lists no more, without having lifted them: "
                     "they stay revoked here."),
      revocations_disappeared, out);
  add_single(counter_family("revcache_evidence_over_limit_total",
                            "Verified CRLs that were not kept: limits.evidence_bytes was reached."),
             over_bytes_max, out);
  add_single(counter_family("revcache_issuers_over_limit_total",
                            "CA certificates that were not learned: limits.issuers was reached."),
             issuers_over_max, out);
  add_single(counter_family("revcache_evidence_urls_over_limit_total",
                            "URLs that gave verified CRLs, beyond those that are remembered."),
             urls_over_max, out);
  return out;
}

}  // namespace revcache::revocation
