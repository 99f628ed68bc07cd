#include "revocation/decision_journal.h"

#include <string_view>

#include "metrics/log_line.h"
#include "pki/asn1_time.h"
#include "pki/signature.h"

namespace revcache::revocation {
namespace {

std::string time_text(const std::optional<WallSeconds>& time) {
  return time ? pki::rfc3339(*time) : std::string();
}

// What is not limited by the evidence has no end that could be written.
std::optional<WallSeconds> end_of(const Decision& decision) {
  if (decision.valid_until == WallSeconds::max()) return std::nullopt;
  return decision.valid_until;
}

// Where the CRL came from; empty: it is held no longer, or is a delta CRL.
std::string url_of(const pki::VerifiedCrlPtr& crl, const Issuer* issuer) {
  if (issuer == nullptr) return {};
  for (const HeldCrl& held : issuer->crls) {
    if (held.complete == crl) return held.url;
  }
  return {};
}

std::optional<DecisionEvidence> evidence_of(const Decision& decision, const Issuer* issuer) {
  if (decision.crl != nullptr) {
    const pki::ParsedCrl& crl = decision.crl->crl();
    auto until = end_of(decision);
    if (!until) until = crl.next_update;
    return DecisionEvidence{.kind = crl.is_delta() ? "delta_crl" : "crl",
                            .url = url_of(decision.crl, issuer),
                            .number = pki::hex(crl.number),
                            .sha256 = pki::hex(decision.crl->hash()),
                            .this_update = crl.this_update,
                            .valid_until = until};
  }
  if (decision.answer != nullptr) {
    return DecisionEvidence{.kind = "ocsp",
                            .url = decision.answer->url,
                            .number = {},
                            .sha256 = pki::hex(decision.answer->hash),
                            .this_update = decision.answer->this_update,
                            .valid_until = decision.answer->next_update};
  }
  if (decision.attestation != nullptr) {
    const pki::Certificate& pinned = *decision.attestation->certificate();
    return DecisionEvidence{.kind = "attestation",
                            .url = decision.attestation->reason(),
                            .number = {},
                            .sha256 = pki::hex(pki::sha256(pinned.der.bytes())),
                            .this_update = {},
                            .valid_until = decision.attestation->until()};
  }
  return std::nullopt;
}

// A JSON object, member by member. An empty text is null.
class JsonObject {
 public:
  void add(std::string_view name, std::string_view value) {
    begin(name);
    if (value.empty()) {
      text_ += "null";
      return;
    }
    text_ += '"';
    metrics::append_escaped(text_, value);
    text_ += '"';
  }
  void add_object(std::string_view name, std::string_view json) {
    begin(name);
    text_ += json;
  }
  std::string take() && { return std::move(text_) + '}'; }

 private:
  void begin(std::string_view name) {
    text_ += text_.size() == 1 ? "\"" : ",\"";
    text_ += name;
    text_ += "\":";
  }
  std::string text_ = "{";
};

std::string to_json(const DecisionEvidence& evidence) {
  JsonObject json;
  json.add("kind", evidence.kind);
  json.add("url", evidence.url);
  json.add("number", evidence.number);
  json.add("sha256", evidence.sha256);
  json.add("this_update", time_text(evidence.this_update));
  json.add("valid_until", time_text(evidence.valid_until));
  return std::move(json).take();
}

// Somebody asked for what we know nothing of, or about an authority that must be seen to.
metrics::LogLevel level_of(Rule rule) {
  return outcome_of(rule) == Outcome::unauthorized ? metrics::LogLevel::info
                                                   : metrics::LogLevel::warning;
}

}  // namespace

DecisionRecord record_of(const Decision& decision, const Issuer* issuer, ByteView serial,
                         WallTime at) {
  DecisionRecord record;
  record.at = std::chrono::floor<std::chrono::seconds>(at);
  if (issuer != nullptr) record.authority = issuer->authority;
  record.serial = pki::hex(pki::significant_octets(serial));
  if (record.serial.empty()) record.serial = "00";
  record.rule = decision.rule;
  record.why = decision.why;
  record.evidence = evidence_of(decision, issuer);
  if (decision.is_signed()) {
    record.this_update = decision.this_update.value_or(record.at - kUndatedAge);
  }
  if (decision.outcome() == Outcome::revoked) {
    record.revoked_at = decision.status.revoked_at();
    record.reason = pki::to_string(decision.status.reason());
  }
  return record;
}

std::string to_json(const DecisionRecord& record) {
  JsonObject json;
  json.add("at", pki::rfc3339(record.at));
  json.add("authority", record.authority);
  json.add("serial", record.serial);
  json.add("outcome", to_string(outcome_of(record.rule)));
  json.add("rule", to_string(record.rule));
  json.add("why", record.why);
  json.add_object("evidence", record.evidence ? to_json(*record.evidence) : "null");
  json.add("signer", record.signer);
  json.add("this_update", time_text(record.this_update));
  json.add("next_update", time_text(record.next_update));
  json.add("revoked_at", time_text(record.revoked_at));
  json.add("reason", record.reason);
  return std::move(json).take();
}

void DecisionJournal::signed_answer(const DecisionRecord& record) {
  const DecisionEvidence none;
  const DecisionEvidence& evidence = record.evidence ? *record.evidence : none;
  log_.record("ocsp answer", {{"at", pki::rfc3339(record.at)},
                              {"authority", record.authority},
                              {"serial", record.serial},
                              {"outcome", to_string(outcome_of(record.rule))},
                              {"rule", to_string(record.rule)},
                              {"why", record.why},
                              {"evidence_kind", evidence.kind},
                              {"evidence_url", evidence.url},
                              {"evidence_number", evidence.number},
                              {"evidence_sha256", evidence.sha256},
                              {"evidence_this_update", time_text(evidence.this_update)},
                              {"evidence_valid_until", time_text(evidence.valid_until)},
                              {"signer", record.signer},
                              {"this_update", time_text(record.this_update)},
                              {"next_update", time_text(record.next_update)},
                              {"revoked_at", time_text(record.revoked_at)},
                              {"reason", record.reason}});
  const auto kept = state_.append_decision(to_json(record));
  if (!kept) {
    not_kept_.fetch_add(1, std::memory_order_relaxed);
    if (keeps_failing_.exchange(true)) return;
    log_.error("decisions are not kept", {{"error", kept.error().detail}});
  } else if (keeps_failing_.exchange(false)) {
    log_.info("decisions are kept again", {{"lost", static_cast<std::int64_t>(not_kept())}});
  }
}

void DecisionJournal::refused(const DecisionRecord& record, MonotonicTime now) {
  const auto unlogged = count_refusal(record, now);
  if (!unlogged) return;
  log_.write(level_of(record.rule), "ocsp refused",
             {{"authority", record.authority},
              {"serial", record.serial},
              {"outcome", to_string(outcome_of(record.rule))},
              {"rule", to_string(record.rule)},
              {"why", record.why},
              {"unlogged", static_cast<std::int64_t>(*unlogged)}});
}

std::optional<std::uint64_t> DecisionJournal::count_refusal(const DecisionRecord& record,
                                                            MonotonicTime now) {
  return refusals_.with([&](auto& refusals) -> std::optional<std::uint64_t> {
    if (refusals.size() >= kRefusalKindsMax) refusals.clear();
    const auto [entry, is_new] =
        refusals.try_emplace(RefusalKey{record.authority, record.rule}, Refusals{now, 0});
    if (is_new) return 0;
    Refusals& counted = entry->second;
    if (now - counted.logged_at < kRefusalLogInterval) {
      ++counted.unlogged;
      return std::nullopt;
    }
    counted.logged_at = now;
    return std::exchange(counted.unlogged, 0);
  });
}

}  // namespace revcache::revocation
