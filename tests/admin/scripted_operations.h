// Operations that do what a test says and keep what they were asked for.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "admin/operations.h"

namespace revcache::admin {

inline WallSeconds noon() {
  return WallSeconds(std::chrono::sys_days{std::chrono::year{2026} / 12 / 1}) +
         std::chrono::hours{12};
}

class ScriptedOperations final : public Operations {
 public:
  Done<StatusReport> status() override {
    asked.emplace_back("status");
    if (problem) return std::unexpected(*problem);
    return report;
  }
  Done<ShownConfig> shown_config() override {
    asked.emplace_back("shown_config");
    if (problem) return std::unexpected(*problem);
    return ShownConfig{.source = config_source, .json = R"({"listen": {"workers": 2}})"};
  }
  Done<std::size_t> reset_floors(const std::string& authority, const std::string& by) override {
    asked.push_back("reset_floors " + authority + " by " + by);
    if (problem) return std::unexpected(*problem);
    return 3;
  }
  Done<RevocationReceipt> revoke(const RevocationOrder& order, const std::string& by) override {
    asked.push_back("revoke " + order.what.authority + ' ' + order.what.serial + ' ' +
                    std::string(pki::to_string(order.reason)) + " (" + order.note + ") by " + by);
    if (problem) return std::unexpected(*problem);
    return RevocationReceipt{.revoked_at = noon(),
                             .crls_valid_until = valid_until,
                             .answers_valid_until = valid_until,
                             .loops_behind = loops_behind};
  }
  Done<void> unrevoke(const SerialOfAuthority& what, const std::string& by) override {
    asked.push_back("unrevoke " + what.authority + ' ' + what.serial + " by " + by);
    if (problem) return std::unexpected(*problem);
    return {};
  }
  Done<std::vector<ListedRevocation>> revoked() override {
    asked.emplace_back("revoked");
    if (problem) return std::unexpected(*problem);
    return listed;
  }
  Done<std::vector<std::string>> audit(std::size_t entries_max) override {
    asked.push_back("audit " + std::to_string(entries_max));
    if (problem) return std::unexpected(*problem);
    return std::vector<std::string>{R"({"change":"revoke"})", "not json"};
  }
  Done<std::vector<std::string>> decisions(std::size_t entries_max) override {
    asked.push_back("decisions " + std::to_string(entries_max));
    if (problem) return std::unexpected(*problem);
    return std::vector<std::string>{R"({"rule":"crl_absent"})"};
  }
  Done<Purged> purge(const PurgeTarget& target, const std::string& by) override {
    asked.push_back("purge url=" + target.url + " authority=" + target.authority +
                    (target.everything ? " everything" : "") + (target.dry_run ? " dry_run" : "") +
                    " by " + by);
    if (problem) return std::unexpected(*problem);
    return Purged{.entries = 2, .bytes = 4096, .urls = {"http://crl.test/a.crl"}, .more = 1};
  }
  Done<Explanation> explain(const CertificateQuestion& question) override {
    asked.push_back("explain " + pki::name_text(question.certificate->subject) + " at " +
                    question.authority);
    if (problem) return std::unexpected(*problem);
    return explanation;
  }
  void check(CheckQuestion question, Callback<Done<std::string>> done) override {
    asked.push_back("check " + std::to_string(question.chain.size()));
    checks.push_back(std::move(done));
  }
  void refresh(const RefreshTarget& target,
               Callback<Done<std::vector<RefreshedUrl>>> done) override {
    asked.push_back("refresh " + target.url + target.authority);
    refreshes.push_back(std::move(done));
  }

  std::optional<Problem> problem;
  StatusReport report;
  std::string config_source;
  std::optional<WallSeconds> valid_until;
  std::size_t loops_behind = 0;
  Explanation explanation;
  std::vector<ListedRevocation> listed;
  std::vector<std::string> asked;
  std::vector<Callback<Done<std::vector<RefreshedUrl>>>> refreshes;  // that nobody has ended
  std::vector<Callback<Done<std::string>>> checks;
};

}  // namespace revcache::admin
