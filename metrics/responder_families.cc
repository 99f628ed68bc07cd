// The families of the OCSP responder.
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "metrics/families.h"
#include "metrics/loop_families.h"

namespace revcache::metrics {
namespace {

using Loops = std::vector<const LoopMetrics*>;
using FamilyList = std::vector<prometheus::MetricFamily>;

constexpr std::array<std::string_view, kCertIdHashes> kHashNames{"sha1", "sha256", "sha384",
                                                                 "sha512", "other"};

class ResponderFamilies {
 public:
  ResponderFamilies(const Loops& loops, const ResponderLabels& labels)
      : loops_(loops), labels_(labels) {}

  void add_to(FamilyList& out) const {
    add_responses(out);
    add_decisions(out);
    add_requests(out);
    add_signing(out);
  }

 private:
  template <class Pick>
  [[nodiscard]] std::uint64_t sum(Pick pick) const {
    std::uint64_t total = 0;
    for (const LoopMetrics* loop : loops_) {
      total += static_cast<std::uint64_t>(pick(*loop).value());
    }
    return total;
  }
  [[nodiscard]] std::string_view authority(std::size_t label) const {
    return label < labels_.authorities.size() ? std::string_view(labels_.authorities[label].name)
                                              : "other";
  }
  [[nodiscard]] std::string_view signer(std::size_t label) const {
    return label < labels_.authorities.size() ? std::string_view(labels_.authorities[label].signer)
                                              : "other";
  }
  // So that rates start from 0: the answer that a configured authority is there for.
  [[nodiscard]] bool is_core(std::size_t label, std::size_t rule) const {
    return label < labels_.authorities.size() && labels_.rules[rule].name == "crl_absent";
  }

  // An alarm must see the first tryLater, too.
  [[nodiscard]] bool is_core_response(std::size_t label, std::size_t rule) const {
    return is_core(label, rule) || (label < labels_.authorities.size() &&
                                    labels_.rules[rule].response_status == "tryLater");
  }

  void add_responses(FamilyList& out) const {
    using Key = std::tuple<std::string_view, std::string_view, std::string_view>;
    std::map<Key, std::uint64_t> counts;
    for (std::size_t label = 0; label < kAuthorityLabelsMax; ++label) {
      for (std::size_t rule = 0; rule < kAnswerRules; ++rule) {
        const auto count = sum([&](const LoopMetrics& loop) -> const Counter& {
          return loop.ocsp_answers[label][rule];
        });
        if (count == 0 && !is_core_response(label, rule)) continue;
        const auto& names = labels_.rules[rule];
        counts[{authority(label), names.response_status, names.cert_status}] += count;
      }
    }
    counts[{"other", "malformedRequest", "none"}] +=
        sum([](const LoopMetrics& loop) -> const Counter& { return loop.ocsp_malformed; });
    Family family =
        counter_family("revcache_ocsp_responses_total",
                       "Answers of the own OCSP responder, per certificate asked about.");
    for (const auto& [key, count] : counts) {
      family.add({{"ca", std::get<0>(key)},
                  {"response_status", std::get<1>(key)},
                  {"cert_status", std::get<2>(key)}},
                 count);
    }
    std::move(family).move_to(out);
  }

  void add_decisions(FamilyList& out) const {
    Family family = counter_family("revcache_synthesis_decisions_total",
                                   "Decisions that were signed, by the rule that made them.");
    for (std::size_t label = 0; label < kAuthorityLabelsMax; ++label) {
      for (std::size_t rule = 0; rule < kAnswerRules; ++rule) {
        const auto count = sum([&](const LoopMetrics& loop) -> const Counter& {
          return loop.synthesis_decisions[label][rule];
        });
        if (count == 0 && !is_core(label, rule)) continue;
        family.add({{"ca", authority(label)},
                    {"rule", labels_.rules[rule].name},
                    {"decision", labels_.rules[rule].decision}},
                   count);
      }
    }
    std::move(family).move_to(out);
  }

  void add_requests(FamilyList& out) const {
    Family nonces = counter_family("revcache_ocsp_requests_with_nonce_total",
                                   "Questions with a nonce, which costs a signature of its own.");
    for (std::size_t label = 0; label < labels_.authorities.size(); ++label) {
      if (label >= kAuthorityLabelsMax) break;
      nonces.add({{"ca", authority(label)}}, sum([&](const LoopMetrics& loop) -> const Counter& {
                   return loop.ocsp_nonces[label];
                 }));
    }
    std::move(nonces).move_to(out);
    Family hashes = counter_family("revcache_ocsp_certid_hash_total",
                                   "CertIDs asked about, by their hash algorithm.");
    for (std::size_t hash = 0; hash < kCertIdHashes; ++hash) {
      hashes.add({{"hash", kHashNames[hash]}}, sum([&](const LoopMetrics& loop) -> const Counter& {
                   return loop.cert_id_hashes[hash];
                 }));
    }
    std::move(hashes).move_to(out);
    Family ready = gauge_family("revcache_ocsp_ready_answers",
                                "Signed answers that are renewed before they lapse.");
    ready.add({}, sum([](const LoopMetrics& loop) -> const Gauge& { return loop.ready_answers; }));
    std::move(ready).move_to(out);
  }

  // A signer may sign for several authorities.
  struct OfSigner {
    HistogramSum duration;
    std::array<std::uint64_t, kSigningFailures> failures{};
    std::uint64_t shed = 0;
    std::uint64_t queue = 0;
  };

  void add_signing(FamilyList& out) const {
    std::map<std::string_view, OfSigner> signers;
    for (std::size_t label = 0; label < labels_.authorities.size(); ++label) {
      if (label >= kAuthorityLabelsMax) break;
      OfSigner& one = signers[signer(label)];
      for (const LoopMetrics* loop : loops_) one.duration.add(loop->signing_duration[label]);
      for (std::size_t reason = 0; reason < kSigningFailures; ++reason) {
        one.failures[reason] += sum([&](const LoopMetrics& loop) -> const Counter& {
          return loop.signing_failures[label][reason];
        });
      }
      one.shed +=
          sum([&](const LoopMetrics& loop) -> const Counter& { return loop.signing_shed[label]; });
      one.queue +=
          sum([&](const LoopMetrics& loop) -> const Gauge& { return loop.signing_queue[label]; });
    }
    Family duration = histogram_family("revcache_signing_duration_seconds",
                                       "From a signature's being asked for to its being there.");
    Family failures =
        counter_family("revcache_signing_failures_total", "Signatures that were not made.");
    Family shed = counter_family("revcache_signing_shed_total",
                                 "Signatures refused with tryLater: the queue or the budget.");
    Family queue =
        gauge_family("revcache_signing_queue_length", "Signatures that wait or are being made.");
    for (const auto& [name, one] : signers) {
      duration.add({{"signer", name}}, one.duration);
      for (std::size_t reason = 0; reason < kSigningFailures; ++reason) {
        failures.add({{"signer", name}, {"reason", to_string(static_cast<SigningFailure>(reason))}},
                     one.failures[reason]);
      }
      shed.add({{"signer", name}}, one.shed);
      queue.add({{"signer", name}}, one.queue);
    }
    std::move(duration).move_to(out);
    std::move(failures).move_to(out);
    std::move(shed).move_to(out);
    std::move(queue).move_to(out);
  }

  const Loops& loops_;
  const ResponderLabels& labels_;
};

}  // namespace

void add_responder_families(const Loops& loops, const ResponderLabels& labels, FamilyList& out) {
  ResponderFamilies(loops, labels).add_to(out);
}

}  // namespace revcache::metrics
