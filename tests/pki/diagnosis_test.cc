#include "pki/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "chain_files.h"
#include "pki/distinguished_name.h"

namespace revcache::pki {
namespace {

using std::chrono::hours;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

EvidenceRules rules_at(WallTime at) {
  EvidenceRules rules;
  rules.at = at;
  return rules;
}

// "revoked crl keyCompromise", then what is refused: "; issuing.crl expired".
std::string verdict_on(const std::string& subject, const std::vector<std::string>& evidence,
                       const EvidenceRules& rules) {
  const auto certificate = chain_certificate(subject);
  const auto issuer = chain_certificate(
      names_match(certificate->issuer, chain_certificate("root")->subject) ? "root" : "issuing");
  const auto all = chain_evidence(evidence);
  const auto verdict = judge_evidence(*certificate, issuer, all, rules);
  std::string text(to_string(verdict.status));
  text += ' ' + std::string(to_string(verdict.source));
  if (verdict.status == CertificateStatus::revoked)
    text += ' ' + std::string(to_string(verdict.reason));
  for (const auto& judged : verdict.evidence) {
    if (judged.refused) {
      text += "; " + judged.evidence.source + ' ' + std::string(to_string(judged.refused->reason));
    }
    if (judged.too_old) text += "; " + judged.evidence.source + " too old";
    if (judged.uncertain) text += "; " + judged.evidence.source + " partial";
  }
  return text;
}

struct EvidenceCase {
  const char* what;
  const char* subject;
  std::vector<std::string> evidence;
  const char* expected;
};

class EvidenceVerdict : public testing::TestWithParam<EvidenceCase> {};

TEST_P(EvidenceVerdict, IsStatusSourceAndWhatWasRefused) {
  const auto& each = GetParam();
  EXPECT_EQ(verdict_on(each.subject, each.evidence, rules_at(kChainTime)), each.expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, EvidenceVerdict,
    testing::Values(
        EvidenceCase{"nothing", "user", {}, "unknown none"},
        EvidenceCase{"not_listed", "user", {"issuing.crl"}, "good crl"},
        EvidenceCase{"listed", "user_revoked", {"issuing.crl"}, "revoked crl keyCompromise"},
        EvidenceCase{"on_hold", "user_hold", {"issuing.crl"}, "revoked crl certificateHold"},
        EvidenceCase{"hold_ended_by_newer_crl",
                     "user_hold",
                     {"issuing.crl", "issuing_newer.crl"},
                     "good crl"},
        EvidenceCase{"revocation_does_not_end",
                     "user_revoked",
                     {"issuing_newer.crl", "issuing.crl"},
                     "revoked crl keyCompromise"},
        EvidenceCase{"expired",
                     "user_revoked",
                     {"issuing_expired.crl"},
                     "unknown none; issuing_expired.crl expired"},
        EvidenceCase{"ahead",
                     "user",
                     {"issuing_ahead.crl"},
                     "unknown none; issuing_ahead.crl not_yet_valid"},
        EvidenceCase{"sha1",
                     "user",
                     {"issuing_sha1.crl"},
                     "unknown none; issuing_sha1.crl algorithm_refused"},
        EvidenceCase{"one_refused_one_good",
                     "user",
                     {"issuing_expired.crl", "issuing.crl"},
                     "good crl; issuing_expired.crl expired"},
        EvidenceCase{"another_issuer_is_left_out", "user", {"root.crl"}, "unknown none"},
        EvidenceCase{"another_key_of_that_name",
                     "issuing",
                     {"root_impostor.crl"},
                     "unknown none; root_impostor.crl issuer_unknown"},
        EvidenceCase{"own_partition", "user", {"partition.crl"}, "good crl"},
        EvidenceCase{"other_partition",
                     "user",
                     {"other_partition.crl"},
                     "unknown none; other_partition.crl partial"},
        EvidenceCase{"users_only", "user_revoked", {"users.crl"}, "revoked crl keyCompromise"},
        EvidenceCase{"cas_only", "user", {"cas.crl"}, "unknown none; cas.crl scope_mismatch"},
        EvidenceCase{"delta_revokes",
                     "user",
                     {"issuing.crl", "delta_revokes.crl"},
                     "revoked crl superseded"},
        EvidenceCase{"delta_first_in_the_list",
                     "user",
                     {"delta_revokes.crl", "issuing.crl"},
                     "revoked crl superseded"},
        EvidenceCase{"delta_lifts", "user_hold", {"issuing.crl", "delta_lifts.crl"}, "good crl"},
        EvidenceCase{
            "delta_alone_revokes", "user", {"delta_revokes.crl"}, "revoked crl superseded"},
        EvidenceCase{"delta_alone_proves_nothing_good",
                     "user_ocsp",
                     {"delta_revokes.crl"},
                     "unknown none; delta_revokes.crl base_mismatch"},
        EvidenceCase{"ocsp_good", "user", {"user_good.ocsp"}, "good ocsp"},
        EvidenceCase{"ocsp_revoked", "user", {"user_revoked.ocsp"}, "revoked ocsp keyCompromise"},
        EvidenceCase{"ocsp_unknown", "user", {"user_unknown.ocsp"}, "unknown none"},
        EvidenceCase{"ocsp_delegated", "user", {"user_delegated.ocsp"}, "good ocsp"},
        EvidenceCase{"ocsp_by_a_stranger",
                     "user",
                     {"user_stranger.ocsp"},
                     "unknown none; user_stranger.ocsp responder_not_authorized"},
        EvidenceCase{
            "ocsp_about_another_is_left_out", "user_hold", {"user_good.ocsp"}, "unknown none"},
        EvidenceCase{"crl_good_ocsp_revoked",
                     "user",
                     {"issuing.crl", "user_revoked.ocsp"},
                     "revoked ocsp keyCompromise"},
        EvidenceCase{"ocsp_good_crl_revoked",
                     "user",
                     {"user_good.ocsp", "issuing.crl", "delta_revokes.crl"},
                     "revoked crl superseded"},
        EvidenceCase{"ca_good", "issuing", {"root.crl"}, "good crl"},
        EvidenceCase{"ca_revoked", "issuing", {"root_revokes.crl"}, "revoked crl cACompromise"}),
    [](const auto& each) { return std::string(each.param.what); });

TEST(Evidence, GreatestAgeTakesGoodAwayButNotRevoked) {
  auto rules = rules_at(kChainTime);
  rules.age_max = hours(24);
  EXPECT_EQ(verdict_on("user", {"issuing.crl"}, rules), "unknown none; issuing.crl too old");
  EXPECT_EQ(verdict_on("user_revoked", {"issuing.crl"}, rules),
            "revoked crl keyCompromise; issuing.crl too old");
  rules.age_max = hours(24) * 11;
  EXPECT_EQ(verdict_on("user", {"issuing.crl"}, rules), "good crl");
}

TEST(Evidence, Sha1IsAdmittedWhenAllowed) {
  auto rules = rules_at(kChainTime);
  rules.policy.allow_sha1 = true;
  EXPECT_EQ(verdict_on("user", {"issuing_sha1.crl"}, rules), "good crl");
}

TEST(Evidence, AStrangerWhomTheUserTrustsMayAnswer) {
  auto rules = rules_at(kChainTime);
  rules.trusted_responders = chain_certificates({"stranger"});
  EXPECT_EQ(verdict_on("user", {"user_stranger.ocsp"}, rules), "good ocsp");
}

// --- Whole chains ---

struct Asked {
  const char* leaf = "user";
  const char* issuing = "issuing_cdp";
  std::vector<std::string> leaf_evidence{"issuing.crl"};
  std::vector<std::string> issuing_evidence{"root.crl"};
  Profile profile = Profile::nps;
  std::optional<Error> failure{};  // of a fetch for the leaf, instead of its evidence
};

Diagnosis diagnosis_of(const Asked& asked) {
  DiagnosisQuestion question;
  const auto candidates = chain_certificates({asked.issuing});
  const auto anchors = chain_certificates({"root"});
  question.rules.at = kChainTime;
  question.profile = asked.profile;
  question.chain = build_chain({.leaf = chain_certificate(asked.leaf),
                                .candidates = candidates,
                                .anchors = anchors,
                                .at = kChainTime,
                                .policy = {}});
  question.evidence.push_back(chain_evidence(asked.leaf_evidence));
  if (asked.failure) {
    Evidence failed;
    failed.source = "http://cdn.test/issuing.crl";
    failed.fetched = true;
    failed.failure = asked.failure;
    question.evidence.back() = {failed};
  }
  question.evidence.push_back(chain_evidence(asked.issuing_evidence));
  return diagnose(question);
}

std::string nps_of(const Diagnosis& diagnosis) {
  const auto& nps = diagnosis.nps;
  if (nps.accepts) return "accept";
  return std::to_string(nps.reason_code) + ' ' + std::string(nps.hresult_name) + " [" +
         std::to_string(nps.place.value_or(99)) + ']';
}

struct ChainCase {
  const char* what;
  Asked asked;
  Outcome result;
  const char* nps;
};

class ChainDiagnosis : public testing::TestWithParam<ChainCase> {};

TEST_P(ChainDiagnosis, HasAResultAndWhatNpsWouldSay) {
  const auto diagnosis = diagnosis_of(GetParam().asked);
  EXPECT_EQ(to_string(diagnosis.result), to_string(GetParam().result));
  EXPECT_EQ(nps_of(diagnosis), GetParam().nps);
  EXPECT_EQ(diagnosis.nps.client_error, diagnosis.nps.accepts ? 0 : 853);
  for (const auto& one : diagnosis.chain) {
    if (one.link.role == ChainRole::root || diagnosis.result == Outcome::invalid) {
      EXPECT_EQ(one.status, CertificateStatus::not_checked);
    }
  }
}

const Error kSilent{ErrorCode::timed_out, Blame::upstream, "no response within the total time"};

INSTANTIATE_TEST_SUITE_P(
    Table, ChainDiagnosis,
    testing::Values(
        ChainCase{"all_good", {}, Outcome::good, "accept"},
        ChainCase{
            "leaf_revoked", {.leaf = "user_revoked"}, Outcome::revoked, "256 CRYPT_E_REVOKED [0]"},
        ChainCase{"ca_revoked",
                  {.issuing_evidence = {"root_revokes.crl"}},
                  Outcome::revoked,
                  "256 CRYPT_E_REVOKED [1]"},
        ChainCase{"ca_without_cdp",
                  {.issuing = "issuing", .issuing_evidence = {}},
                  Outcome::unknown,
                  "258 CRYPT_E_NO_REVOCATION_CHECK [1]"},
        // Evidence at hand here is none that the server would find.
        ChainCase{"ca_without_cdp_but_evidence",
                  {.issuing = "issuing"},
                  Outcome::good,
                  "258 CRYPT_E_NO_REVOCATION_CHECK [1]"},
        ChainCase{"ca_without_cdp_and_leaf_offline",
                  {.issuing = "issuing", .issuing_evidence = {}, .failure = kSilent},
                  Outcome::unknown,
                  "258 CRYPT_E_NO_REVOCATION_CHECK [1]"},
        ChainCase{"revoked_beats_missing_cdp",
                  {.leaf = "user_revoked", .issuing = "issuing"},
                  Outcome::revoked,
                  "256 CRYPT_E_REVOKED [0]"},
        ChainCase{"leaf_crl_expired",
                  {.leaf_evidence = {"issuing_expired.crl"}},
                  Outcome::unknown,
                  "258 CRYPT_E_NO_REVOCATION_CHECK [0]"},
        ChainCase{"leaf_crl_not_to_be_had",
                  {.failure = kSilent},
                  Outcome::unknown,
                  "259 CRYPT_E_REVOCATION_OFFLINE [0]"},
        ChainCase{"leaf_no_evidence",
                  {.leaf_evidence = {}},
                  Outcome::unknown,
                  "259 CRYPT_E_REVOCATION_OFFLINE [0]"},
        ChainCase{"leaf_ocsp_says_unknown",
                  {.leaf_evidence = {"user_unknown.ocsp"}},
                  Outcome::unknown,
                  "258 CRYPT_E_NO_REVOCATION_CHECK [0]"},
        ChainCase{
            "leaf_expired", {.leaf = "user_expired"}, Outcome::invalid, "268 CERT_E_EXPIRED [0]"},
        ChainCase{"ca_expired",
                  {.issuing = "issuing_expired"},
                  Outcome::invalid,
                  "278 CERT_E_EXPIRED [1]"},
        ChainCase{
            "no_issuer", {.issuing = "root_renewed"}, Outcome::invalid, "295 CERT_E_CHAINING [0]"},
        ChainCase{"critical_extension",
                  {.leaf = "user_critical"},
                  Outcome::invalid,
                  "282 CERT_E_CRITICAL [0]"},
        ChainCase{
            "sha1", {.leaf = "user_sha1"}, Outcome::invalid, "288 TRUST_E_CERT_SIGNATURE [0]"},
        ChainCase{"pkix_demands_no_cdp",
                  {.issuing = "issuing", .profile = Profile::pkix},
                  Outcome::good,
                  "258 CRYPT_E_NO_REVOCATION_CHECK [1]"}),
    [](const auto& each) { return std::string(each.param.what); });

const Finding* find(const CertificateDiagnosis& one, std::string_view id) {
  const auto at = std::ranges::find(one.findings, id, &Finding::id);
  return at == one.findings.end() ? nullptr : &*at;
}

TEST(Diagnosis, AnIssuingCaWithoutCdpIsExplainedWithTheWaysOutInOrder) {
  const auto diagnosis = diagnosis_of({.issuing = "issuing", .issuing_evidence = {}});
  const auto* finding = find(diagnosis.chain[1], "cdp-missing");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->severity, Severity::error);
  EXPECT_EQ(finding->reference, "RFC 5280 4.2.1.13");
  EXPECT_THAT(finding->text, HasSubstr("reason code 258"));
  EXPECT_THAT(finding->text, HasSubstr("error 853"));
  const auto property = finding->fix.find("property 81");
  const auto signer = finding->fix.find("id-kp-OCSPSigning");
  const auto store = finding->fix.find("certutil -f -addstore CA");
  EXPECT_LT(property, signer);
  EXPECT_LT(signer, store);
  EXPECT_LT(store, finding->fix.find("IgnoreNoRevocationCheck"));
  EXPECT_EQ(find(diagnosis.chain[0], "cdp-missing"), nullptr);
  EXPECT_EQ(find(diagnosis.chain[2], "cdp-missing"), nullptr) << "a root needs none";
}

TEST(Diagnosis, InThePkixProfileAMissingCdpIsARemark) {
  const auto diagnosis = diagnosis_of({.issuing = "issuing", .profile = Profile::pkix});
  ASSERT_NE(find(diagnosis.chain[1], "cdp-missing"), nullptr);
  EXPECT_EQ(find(diagnosis.chain[1], "cdp-missing")->severity, Severity::info);
}

TEST(Diagnosis, EachRefusalIsAFindingThatNamesItsSource) {
  const auto diagnosis = diagnosis_of({.leaf_evidence = {"issuing_expired.crl"}});
  const auto* finding = find(diagnosis.chain[0], "crl-expired");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->severity, Severity::error);
  EXPECT_THAT(finding->text, HasSubstr("issuing_expired.crl"));
  const auto both = diagnosis_of({.leaf_evidence = {"issuing_expired.crl", "issuing.crl"}});
  EXPECT_EQ(find(both.chain[0], "crl-expired")->severity, Severity::warning) << "not needed";
}

TEST(Diagnosis, NameConstraintsAreSaidNotToBeEvaluated) {
  const auto diagnosis =
      diagnosis_of({.leaf = "user_of_constrained", .issuing = "constrained", .leaf_evidence = {}});
  EXPECT_NE(find(diagnosis.chain[1], "name-constraints-not-evaluated"), nullptr);
}

TEST(Diagnosis, ADelegatedResponderThatNobodyVouchesForIsARemark) {
  const auto diagnosis = diagnosis_of({.leaf_evidence = {"user_delegated.ocsp"}});
  EXPECT_NE(find(diagnosis.chain[0], "ocsp-responder-unchecked"), nullptr);
}

TEST(Diagnosis, ARootThatNobodyNamedIsSaidToBeTakenFromTheChain) {
  DiagnosisQuestion question;
  const auto candidates = chain_certificates({"issuing", "root"});
  question.rules.at = kChainTime;
  question.chain = build_chain({.leaf = chain_certificate("user"),
                                .candidates = candidates,
                                .anchors = {},
                                .at = kChainTime,
                                .policy = {}});
  EXPECT_NE(find(diagnose(question).chain[2], "root-taken-from-chain"), nullptr);
  EXPECT_EQ(find(diagnosis_of({}).chain[2], "root-taken-from-chain"), nullptr);
}

std::vector<std::string> lint(const char* leaf, Profile profile = Profile::nps) {
  std::vector<std::string> ids;
  const auto diagnosis = diagnosis_of({.leaf = leaf, .profile = profile});
  for (const auto& finding : diagnosis.chain[0].findings) {
    ids.push_back(std::string(to_string(finding.severity)) + ' ' + finding.id);
  }
  return ids;
}

TEST(Lint, ALeafAsIntuneMakesItHasNoFinding) { EXPECT_THAT(lint("user"), IsEmpty()); }

TEST(Lint, SaysAllThatAPoorLeafLacks) {
  EXPECT_THAT(lint("user_poor"),
              ElementsAre("error cdp-missing", "error client-auth-missing", "error key-too-short",
                          "error digital-signature-missing", "warning key-encipherment-missing",
                          "warning subject-alt-name-missing"));
  EXPECT_THAT(lint("user_long"), ElementsAre("warning validity-too-long"));
  EXPECT_THAT(lint("user_ocsp"), ElementsAre("warning leaf-cdp-missing"));
  EXPECT_THAT(lint("user_sha1"), Contains("warning signature-not-sha2"));
}

TEST(Lint, IsForNpsOnly) {
  EXPECT_THAT(lint("user_poor", Profile::pkix), ElementsAre("info cdp-missing"));
}

TEST(Lint, ALeafForAnotherPurposeIsDenied) {
  const auto diagnosis = diagnosis_of({.leaf = "user_poor"});
  EXPECT_EQ(diagnosis.result, Outcome::good);
  EXPECT_EQ(nps_of(diagnosis), "258 CRYPT_E_NO_REVOCATION_CHECK [0]") << "it names no CDP either";
}

}  // namespace
}  // namespace revcache::pki
