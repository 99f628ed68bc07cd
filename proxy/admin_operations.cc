#include "proxy/admin_operations.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "config/show.h"
#include "pki/asn1_time.h"
#include "pki/signature.h"
#include "proxy/admin_audit.h"
#include "proxy/admin_explain.h"

namespace revcache::proxy {
namespace {

using admin::Done;
using admin::ListedRevocation;
using admin::Problem;
using admin::ProblemKind;
using admin::RefreshedUrl;
using Json = nlohmann::ordered_json;

std::unexpected<Problem> problem(ProblemKind kind, std::string text) {
  return std::unexpected(Problem{kind, std::move(text)});
}

std::unexpected<Problem> no_such_authority(const std::string& name) {
  return problem(ProblemKind::unknown, "no [[authority]] is named \"" + name + '"');
}

std::unexpected<Problem> state_problem(const Error& error) {
  return problem(ProblemKind::failed, "the state: " + error.detail);
}

bool is_declared(const config::Authority& authority, const std::string& serial) {
  return std::ranges::find(authority.revoke, serial, &config::ManualRevocation::serial) !=
         authority.revoke.end();
}

// The latest nextUpdate of what is held of an authority and of the CAs below it.
std::optional<WallSeconds> crls_valid_until(const revocation::Snapshot& known,
                                            const std::string& authority) {
  std::optional<WallSeconds> latest;
  for (const auto& issuer : known.issuers()) {
    if (issuer.authority != authority) continue;
    for (const auto& held : issuer.crls) {
      const auto& until = (*held.complete)->next_update;
      if (until && (!latest || *until > *latest)) latest = *until;
    }
  }
  return latest;
}

std::vector<ListedRevocation> listed_of(const revocation::Issuer& issuer,
                                        const config::Authority* authority) {
  std::vector<ListedRevocation> listed;
  for (const auto& one : issuer.manual) {
    ListedRevocation entry{.authority = issuer.authority,
                           .issuer_key = pki::hex(issuer.key),
                           .serial = pki::hex(as_bytes(one.serial)),
                           .revoked_at = one.revoked_at,
                           .reason = one.reason,
                           .note = one.note,
                           .declared = false};
    if (entry.serial.empty()) entry.serial = "00";
    entry.declared = authority != nullptr && is_declared(*authority, entry.serial);
    listed.push_back(std::move(entry));
  }
  return listed;
}

}  // namespace

AdminOperations::AdminOperations(const Parts& parts, std::shared_ptr<const config::Config> config)
    : parts_(parts),
      config_(std::move(config)),
      purge_({parts.cache, parts.disk, parts.revocation.state(), parts.clock, parts.log}),
      checks_({parts.loop, parts.clock, parts.log, parts.revocation, parts.refresher,
               parts.hash_seed}) {}

AdminOperations::~AdminOperations() = default;

void AdminOperations::apply(std::shared_ptr<const config::Config> config) {
  config_.with([&](auto& current) { current = std::move(config); });
}

void AdminOperations::stop() {
  waiting_.clear();
  checks_.stop();
}

std::shared_ptr<const config::Config> AdminOperations::config() const {
  return config_.with([](const auto& current) { return current; });
}

const config::Authority* AdminOperations::find(const config::Config& config,
                                               const std::string& authority) const {
  const auto found = std::ranges::find(config.authorities, authority, &config::Authority::name);
  return found == config.authorities.end() ? nullptr : &*found;
}

Done<admin::StatusReport> AdminOperations::status() {
  if (!parts_.status) return problem(ProblemKind::unavailable, "the status is not gathered here");
  return parts_.status(*config());
}

Done<admin::ShownConfig> AdminOperations::shown_config() {
  const auto current = config();
  return admin::ShownConfig{.source = current->source, .json = config::effective_json(*current)};
}

Done<std::size_t> AdminOperations::reset_floors(const std::string& authority,
                                                const std::string& by) {
  const auto current = config();
  if (find(*current, authority) == nullptr) return no_such_authority(authority);
  auto& state = parts_.revocation.state();
  const auto entry = audit_entry("floor_reset", authority, by);
  if (auto entered = enter_audit(state, entry, parts_.clock.wall()); !entered) {
    return state_problem(entered.error());
  }
  const auto removed = parts_.revocation.evidence().reset_floors(authority);
  if (!removed) return state_problem(removed.error());
  if (!*removed) return no_such_authority(authority);
  parts_.log.error("rollback floors reset: older evidence of this authority is taken again",
                   {{"authority", authority},
                    {"floors_removed", static_cast<std::int64_t>(**removed)},
                    {"by", by}});
  return **removed;
}

Done<admin::RevocationReceipt> AdminOperations::revoke(const admin::RevocationOrder& order,
                                                       const std::string& by) {
  const auto current = config();
  const auto& [authority, serial] = order.what;
  const auto* const configured = find(*current, authority);
  if (configured == nullptr) return no_such_authority(authority);
  const WallTime now = parts_.clock.wall();
  const auto reason = pki::to_string(order.reason);
  auto entry = audit_entry("revoke", authority, by);
  entry["serial"] = serial;
  entry["reason"] = reason;
  entry["note"] = order.note;
  if (auto entered = enter_audit(parts_.revocation.state(), std::move(entry), now); !entered) {
    return state_problem(entered.error());
  }
  auto& evidence = parts_.revocation.evidence();
  const auto revoked =
      evidence.revoke(authority, serial_octets(serial), order.reason, order.note, now);
  if (!revoked) return state_problem(revoked.error());
  if (!*revoked) return no_such_authority(authority);
  parts_.log.warning("revoked by hand", {{"authority", authority},
                                         {"serial", serial},
                                         {"reason", reason},
                                         {"note", order.note},
                                         {"by", by}});
  admin::RevocationReceipt receipt{
      .revoked_at = floor<std::chrono::seconds>(now),
      .crls_valid_until = crls_valid_until(*evidence.snapshot(), authority)};
  receipt.loops_behind = parts_.revocation.publisher().wait_until_received(kReceiptWaitMax);
  if (!configured->signer.empty()) {
    // Not of `now`: the last good answer may have been signed until the loops knew.
    receipt.answers_valid_until =
        ceil<std::chrono::seconds>(parts_.clock.wall()) + configured->validity;
  }
  return receipt;
}

Done<void> AdminOperations::unrevoke(const admin::SerialOfAuthority& what, const std::string& by) {
  const auto current = config();
  const auto* const configured = find(*current, what.authority);
  if (configured == nullptr) return no_such_authority(what.authority);
  if (is_declared(*configured, what.serial)) {
    const auto& file = current->source;
    return problem(ProblemKind::conflict, what.serial + " is revoked by [[authority.revoke]] of " +
                                              (file.empty() ? "the configuration" : file) +
                                              ": remove it there, then reload");
  }
  const WallTime now = parts_.clock.wall();
  auto entry = audit_entry("unrevoke", what.authority, by);
  entry["serial"] = what.serial;
  if (auto entered = enter_audit(parts_.revocation.state(), std::move(entry), now); !entered) {
    return state_problem(entered.error());
  }
  const auto lifted =
      parts_.revocation.evidence().unrevoke(what.authority, serial_octets(what.serial), now);
  if (!lifted) return state_problem(lifted.error());
  if (!*lifted) {
    return problem(ProblemKind::unknown,
                   what.serial + " of " + what.authority + " is not revoked by hand");
  }
  parts_.log.warning("manual revocation lifted",
                     {{"authority", what.authority}, {"serial", what.serial}, {"by", by}});
  return {};
}

// Those of the authorities, declared ones among them, and what is remembered of others.
Done<std::vector<ListedRevocation>> AdminOperations::revoked() {
  const auto current = config();
  const auto stored = parts_.revocation.state().manual_revocations();
  if (!stored) return state_problem(stored.error());
  const auto known = parts_.revocation.evidence().snapshot();
  std::vector<ListedRevocation> all;
  for (const auto& issuer : known->issuers()) {
    const auto* const authority = issuer.is_authority ? find(*current, issuer.authority) : nullptr;
    std::ranges::move(listed_of(issuer, authority), std::back_inserter(all));
  }
  for (const auto& one : *stored) {
    if (known->find(one.issuer) != nullptr) continue;
    revocation::Issuer nobody;
    nobody.key = one.issuer;
    nobody.manual = {one};
    std::ranges::move(listed_of(nobody, nullptr), std::back_inserter(all));
  }
  return all;
}

Done<std::vector<std::string>> AdminOperations::audit(std::size_t entries_max) {
  auto entries = parts_.revocation.state().audit(entries_max);
  if (!entries) return state_problem(entries.error());
  return *std::move(entries);
}

Done<std::vector<std::string>> AdminOperations::decisions(std::size_t entries_max) {
  auto entries = parts_.revocation.state().decisions(entries_max);
  if (!entries) return state_problem(entries.error());
  return *std::move(entries);
}

Done<admin::Explanation> AdminOperations::explain(const admin::CertificateQuestion& question) {
  if (!question.authority.empty() && find(*config(), question.authority) == nullptr) {
    return no_such_authority(question.authority);
  }
  const auto known = parts_.revocation.evidence().snapshot();
  const auto table = parts_.responder_table ? parts_.responder_table() : nullptr;
  const WallTime now = parts_.clock.wall();
  return explain_answer(question, {.known = *known,
                                   .table = table.get(),
                                   .standing = {parts_.revocation.clock_guard().is_behind(now),
                                                parts_.revocation.state_unreadable()},
                                   .now = now});
}

Done<admin::Purged> AdminOperations::purge(const admin::PurgeTarget& target,
                                           const std::string& by) {
  cache::PurgeScope scope;
  scope.everything = target.everything;
  if (!target.url.empty()) scope = purge_scope_of_url(target.url);
  if (!target.authority.empty()) {
    const auto current = config();
    const auto* const authority = find(*current, target.authority);
    if (authority == nullptr) return no_such_authority(target.authority);
    scope = purge_scope_of_authority(urls_of(*authority), parts_.revocation.evidence().snapshot(),
                                     authority->name);
  }
  return purge_.run(target, std::move(scope), by);
}

// Configured, and where CRLs of it and of the CAs below it came from.
std::vector<std::string> AdminOperations::urls_of(const config::Authority& authority) const {
  std::set<std::string> urls;
  for (const auto& url : authority.crls) urls.insert(url.text());
  const auto known = parts_.revocation.evidence().snapshot();
  for (const auto& issuer : known->issuers()) {
    if (issuer.authority != authority.name) continue;
    for (const auto& held : issuer.crls) urls.insert(held.url);
  }
  return {urls.begin(), urls.end()};
}

Done<std::vector<std::string>> AdminOperations::urls_for(const admin::RefreshTarget& target) const {
  if (!target.url.empty()) return std::vector{target.url};
  if (target.authority.empty()) return std::vector<std::string>{};
  const auto current = config();
  const auto* const authority = find(*current, target.authority);
  if (authority == nullptr) return no_such_authority(target.authority);
  auto urls = urls_of(*authority);
  if (urls.empty()) {
    return problem(ProblemKind::unknown, "no URL of " + target.authority + " is known");
  }
  return urls;
}

void AdminOperations::refresh(const admin::RefreshTarget& target,
                              Callback<Done<std::vector<RefreshedUrl>>> done) {
  auto urls = urls_for(target);
  if (!urls) {
    parts_.loop.post([done = std::move(done), why = std::move(urls).error()]() mutable {
      done(std::unexpected(std::move(why)));
    });
    return;
  }
  const WaitingId id = next_id_++;
  Waiting& waiting = waiting_[id];
  waiting.done = std::move(done);
  waiting.deadline = parts_.timers.after(kRefreshWaitMax, [this, id] { finish(id); });
  // Only the executor is touched on the worker's thread.
  parts_.refresher.refresh_now(
      std::move(*urls),
      [weak = weak_from_this(), id, &loop = parts_.loop](std::vector<std::string> under_way) {
        loop.post([weak, id, under_way = std::move(under_way)] {
          if (const auto self = weak.lock()) self->on_began(id, under_way);
        });
      },
      [weak = weak_from_this(), id, &loop = parts_.loop](const std::string& url,
                                                         revocation::RefreshReport report) {
        loop.post([weak, id, url, report = std::move(report)]() mutable {
          if (const auto self = weak.lock()) self->on_report(id, url, std::move(report));
        });
      });
}

void AdminOperations::check(admin::CheckQuestion question, Callback<Done<std::string>> done) {
  checks_.start(std::move(question), config()->limits.checks, std::move(done));
}

void AdminOperations::on_began(WaitingId id, const std::vector<std::string>& urls) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  Waiting& waiting = found->second;
  waiting.began = true;
  for (const std::string& url : urls) {
    waiting.urls[url] = {.url = url,
                         .outcome = "running",
                         .detail = "still under way",
                         .this_update = {},
                         .next_update = {}};
  }
  waiting.running = waiting.urls.size();
  if (waiting.running == 0) finish(id);
}

void AdminOperations::on_report(WaitingId id, const std::string& url,
                                revocation::RefreshReport report) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  RefreshedUrl& one = found->second.urls[url];
  one.url = url;
  one.outcome = to_string(report.outcome);
  one.detail = std::move(report.detail);
  if (report.dates) {
    one.this_update = report.dates->this_update;
    one.next_update = report.dates->next_update;
  }
  if (--found->second.running == 0) finish(id);
}

void AdminOperations::finish(WaitingId id) {
  const auto node = waiting_.extract(id);
  if (node.empty()) return;
  Waiting& waiting = node.mapped();
  if (!waiting.began) {
    return waiting.done(problem(ProblemKind::unavailable, "the refresher does not answer"));
  }
  if (waiting.urls.empty()) {
    return waiting.done(problem(ProblemKind::unknown,
                                "this URL is not known: it is neither configured nor has it given "
                                "verified evidence"));
  }
  std::vector<RefreshedUrl> all;
  for (auto& [url, one] : waiting.urls) all.push_back(std::move(one));
  waiting.done(std::move(all));
}

}  // namespace revcache::proxy
