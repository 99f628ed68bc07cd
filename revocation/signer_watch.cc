#include <algorithm>
#include <ranges>

#include "base/check.h"
#include "pki/asn1_time.h"
#include "pki/pkcs11_key.h"
#include "revocation/responder_table.h"
#include "revocation/signer_verdict.h"

namespace revcache::revocation {
namespace {

using namespace std::string_view_literals;

// What a token signs to show that it still does: no ResponseData begins like this.
constexpr std::string_view kProbe = "revcache asks: does this key still sign?";

bool same_files(const pki::SignerFiles& left, const pki::SignerFiles& right) {
  return left.certificate == right.certificate && left.key == right.key;
}

// What a look can change.
bool same_standing(const SigningAuthority& left, const SigningAuthority& right) {
  return left.signer == right.signer && left.may_sign == right.may_sign &&
         left.signer_not_after == right.signer_not_after;
}

auto users_of(const std::vector<AnsweredAuthority>& authorities, std::string_view signer) {
  return authorities | std::views::filter([signer](const AnsweredAuthority& authority) {
           return authority.signer == signer;
         });
}

bool is_valid(const pki::Signer& signer, WallTime now) {
  return signer.certificate()->is_valid_at(now);
}

// Why the signer of this source must not sign for one of the authorities that name it, whatever the
// date. Empty: it may for all.
std::string never_for(const std::vector<AnsweredAuthority>& authorities, const SignerSource& source,
                      const pki::Signer& signer, WallTime now) {
  for (const AnsweredAuthority& authority : users_of(authorities, source.name)) {
    const std::string why = not_entitled(signer, authority.name, *authority.certificate, now);
    if (!why.empty()) return source.files.certificate + " " + why;
  }
  return {};
}

}  // namespace

Result<void> SignerWatch::configure(std::vector<SignerSource> signers,
                                    std::vector<AnsweredAuthority> authorities, WallTime now) {
  const std::lock_guard one_at_a_time(work_);
  for (const AnsweredAuthority& authority : authorities) {
    const auto named = std::ranges::find(signers, authority.signer, &SignerSource::name);
    if (named != signers.end()) continue;
    return fail(ErrorCode::malformed, Blame::local,
                quoted("authority", authority.name) + " names " +
                    quoted("signer", authority.signer) + ", which is not configured");
  }
  std::erase_if(token_failures_, [&](const auto& failure) {
    const auto has_key = [&](const auto& file) { return file.files.key == failure.first; };
    return now - failure.second.at >= kTokenRetryMin && std::ranges::none_of(signers, has_key) &&
           std::ranges::none_of(held_, has_key, &Held::source);
  });
  std::vector<Held> next;
  for (const SignerSource& source : signers) {
    Result<Held> held = hold(source, authorities, now);
    if (!held) return fail(std::move(held));
    next.push_back(*std::move(held));
  }
  for (const Held& held : next) {
    const auto before = std::ranges::find(held_, held.signer, &Held::signer);
    if (before == held_.end()) say_loaded(held);
  }
  held_ = std::move(next);
  authorities_ = std::move(authorities);
  publish(Unchanged::publish, now);
  return {};
}

Result<SignerWatch::Held> SignerWatch::hold(const SignerSource& source,
                                            const std::vector<AnsweredAuthority>& authorities,
                                            WallTime now) {
  Held held{.source = source, .fingerprint = pki::fingerprint(source.files), .probed = now};
  const auto before =
      std::ranges::find_if(held_, [&](const Held& old) { return old.source.name == source.name; });
  if (before != held_.end() && same_files(before->source.files, source.files) &&
      before->fingerprint == held.fingerprint) {
    held = *before;
    // Whoever reloads may have put the token right.
    const auto failure = token_failures_.find(source.files.key);
    if (failure != token_failures_.end()) failure->second.wait = kTokenRetryMin;
  } else {
    if (!may_try(source.files.key, kTokenRetryMin, now)) {
      return fail(ErrorCode::unreachable, Blame::local,
                  quoted("signer", source.name) +
                      ": its token failed less than a minute ago, and a wrong PIN counts against "
                      "it: wait a minute, then try again");
    }
    auto loaded = read(source.files, now);
    if (!loaded) {
      return fail(loaded.error().code, Blame::local,
                  quoted("signer", source.name) + ": " + loaded.error().detail);
    }
    held.signer = *std::move(loaded);
  }
  const std::string why_not = never_for(authorities, source, *held.signer, now);
  if (!why_not.empty()) {
    return fail(ErrorCode::untrusted, Blame::local, quoted("signer", source.name) + ": " + why_not);
  }
  // A reload does not replace one that signs by one that does not sign today, either: the next look
  // says so, and waits for its day.
  if (before != held_.end() && !is_valid(*held.signer, now) && is_valid(*before->signer, now) &&
      never_for(authorities, source, *before->signer, now).empty()) {
    held = *before;
    held.source = source;
  }
  return held;
}

Result<pki::SignerPtr> SignerWatch::read(const pki::SignerFiles& files, WallTime now) {
  auto loaded = pki::load_signer(files);
  if (!pki::is_pkcs11_uri(files.key)) return loaded;
  if (loaded) {
    token_failures_.erase(files.key);
    return loaded;
  }
  const auto [failure, is_first] =
      token_failures_.try_emplace(files.key, TokenFailure{.at = now, .wait = kTokenRetryMin});
  if (!is_first) {
    failure->second = {
        .at = now,
        .wait = std::min<std::chrono::seconds>(failure->second.wait * 2, kTokenRetryMax)};
  }
  return loaded;
}

bool SignerWatch::may_try(const std::string& key, std::chrono::seconds wait, WallTime now) {
  const auto failure = token_failures_.find(key);
  if (failure == token_failures_.end()) return true;
  // The clock was set back: rather too late than once too often.
  failure->second.at = std::min(failure->second.at, now);
  return now - failure->second.at >= wait;
}

void SignerWatch::look_again(WallTime now) {
  const std::lock_guard one_at_a_time(work_);
  for (Held& held : held_) look_at(held, now);
  publish(Unchanged::keep, now);
}

void SignerWatch::look_at(Held& held, WallTime now) {
  const pki::SignerFingerprint current = pki::fingerprint(held.source.files);
  probe(held, now);
  if (current == held.fingerprint) {
    held.problem.clear();
    if (held.silence.empty()) {
      held.problem_fingerprint = {};
      held.waiting.reset();
      return;
    }
  }
  if (!await_successor(held, current, now)) return;
  std::string why_not = objection(held, *held.waiting, now);
  if (!why_not.empty()) return note_problem(held, current, std::move(why_not));
  held = {.source = held.source,
          .signer = std::exchange(held.waiting, nullptr),
          .fingerprint = current,
          .probed = now,
          .was_usable = held.was_usable};
  say_loaded(held);
}

// What the files hold now becomes `held.waiting`, unless it is. False: it cannot be read, or not
// yet.
bool SignerWatch::await_successor(Held& held, const pki::SignerFingerprint& current, WallTime now) {
  const pki::SignerFiles& files = held.source.files;
  const bool is_new = current != held.problem_fingerprint;
  if (!is_new && held.waiting != nullptr) return true;
  const auto failure = token_failures_.find(files.key);
  if (failure != token_failures_.end()) {
    if (is_new) failure->second.wait = kTokenRetryMin;
    if (!may_try(files.key, failure->second.wait, now)) return false;
  }
  auto loaded = read(files, now);
  if (!loaded) {
    held.waiting.reset();
    note_problem(held, current, loaded.error().detail);
    return false;
  }
  held.waiting = *std::move(loaded);
  return true;
}

// Of a token, since a session of its may end: it was restarted, or unplugged.
void SignerWatch::probe(Held& held, WallTime now) {
  if (!pki::is_pkcs11_uri(held.source.files.key)) return;
  if (now >= held.probed && now - held.probed < kTokenProbeInterval) return;
  held.probed = now;
  const auto signature = held.signer->sign(as_bytes(kProbe), held.signer->scheme_for({}));
  if (!signature) {
    held.silence = "the token does not sign: " + signature.error().detail +
                   " (when it is there again and this stays, restart revcache)";
  } else if (!held.silence.empty()) {
    held.silence.clear();
    token_failures_.erase(held.source.files.key);
  }
}

std::string SignerWatch::objection(const Held& held, const pki::Signer& candidate,
                                   WallTime now) const {
  std::string why = never_for(authorities_, held.source, candidate, now);
  // Whoever puts a certificate there before its time wants it used from then on.
  if (!why.empty() || is_valid(candidate, now) || !is_valid(*held.signer, now)) return why;
  const pki::Certificate& certificate = *candidate.certificate();
  return held.source.files.certificate + " is valid from " + pki::rfc3339(certificate.not_before) +
         " to " + pki::rfc3339(certificate.not_after) + ", which is not now";
}

void SignerWatch::note_problem(Held& held, const pki::SignerFingerprint& current,
                               std::string problem) {
  const bool is_known = current == held.problem_fingerprint && problem == held.problem;
  held.problem_fingerprint = current;
  // The files are those in use: it is the token that is silent, which say_changes() logs.
  if (is_known || current == held.fingerprint) return;
  held.problem = std::move(problem);
  log_.error("signer not usable", {{"signer", held.source.name},
                                   {"detail", held.problem},
                                   {"kept", "the one before stays in use"sv}});
}

void SignerWatch::say_loaded(const Held& held) {
  const pki::Certificate& certificate = *held.signer->certificate();
  const std::string subject = pki::name_text(certificate.subject);
  const std::string not_after = pki::rfc3339(certificate.not_after);
  log_.info("signer loaded", {{"signer", held.source.name},
                              {"certificate", held.source.files.certificate},
                              {"subject", subject},
                              {"not_after", not_after}});
}

SignerWatch::SignerStatus SignerWatch::judge(const Held& held, WallTime now) const {
  SignerStatus status{.name = held.source.name,
                      .usable = is_valid(*held.signer, now) && held.silence.empty(),
                      .not_after = held.signer->certificate()->not_after,
                      .findings = {},
                      .problem = held.problem.empty() ? held.silence : held.problem};
  for (const AnsweredAuthority& authority : users_of(authorities_, held.source.name)) {
    for (auto& finding :
         pki::check_signer(held.signer->certificates(), *authority.certificate, now)) {
      const bool is_said = std::ranges::any_of(status.findings, [&](const auto& said) {
        return said.id == finding.id && said.text == finding.text;
      });
      if (!is_said) status.findings.push_back(std::move(finding));
    }
  }
  status.usable = status.usable && pki::may_sign(status.findings);
  return status;
}

void SignerWatch::say_changes(Held& held, const SignerStatus& status, WallTime now) {
  if (status.usable != held.was_usable) {
    held.was_usable = status.usable;
    std::string why = texts(status.findings, pki::SignerSeverity::refused);
    if (!held.silence.empty()) why += (why.empty() ? "" : "; ") + held.silence;
    const std::string not_after = pki::rfc3339(status.not_after);
    log_.write(status.usable ? metrics::LogLevel::info : metrics::LogLevel::error,
               status.usable ? "signer usable again"sv : "signer not usable"sv,
               {{"signer", status.name}, {"detail", why}, {"not_after", not_after}});
  }
  const std::string alarms = texts(status.findings, pki::SignerSeverity::alarm);
  if (alarms.empty() || !status.usable) return;
  const bool is_said =
      held.alarmed && now >= *held.alarmed && now - *held.alarmed < kSignerAlarmInterval;
  if (is_said) return;
  held.alarmed = now;
  log_.warning("signer expires soon", {{"signer", status.name}, {"detail", alarms}});
}

ResponderTable SignerWatch::make_table(WallTime now) const {
  ResponderTable table;
  for (const AnsweredAuthority& authority : authorities_) {
    const auto held = std::ranges::find_if(
        held_, [&](const Held& candidate) { return candidate.source.name == authority.signer; });
    CHECK(held != held_.end());
    const pki::Signer& signer = *held->signer;
    const auto findings = pki::check_signer(signer.certificates(), *authority.certificate, now);
    table.authorities.push_back(
        {.name = authority.name,
         .key = pki::key_hash(*authority.certificate),
         .responder_hosts = authority.responder_hosts,
         .policy = authority.policy,
         .signer_name = authority.signer,
         .signer = held->signer,
         .may_sign = pki::may_sign(findings),
         .signer_not_after = vouched_until(signer, authority.certificate, now),
         .signer_hash = certificates_hash(signer),
         .label = table.authorities.size()});
  }
  return table;
}

void SignerWatch::publish(Unchanged unchanged, WallTime now) {
  std::vector<SignerStatus> statuses;
  for (Held& held : held_) {
    statuses.push_back(judge(held, now));
    say_changes(held, statuses.back(), now);
  }
  const auto made = std::make_shared<const ResponderTable>(make_table(now));
  const bool is_new = published_.with([&](Published& published) {
    published.signers.swap(statuses);
    if (unchanged == Unchanged::keep &&
        std::ranges::equal(published.table->authorities, made->authorities, same_standing)) {
      return false;
    }
    published.table = made;
    return true;
  });
  if (is_new && publish_) publish_(made);
}

ResponderTablePtr SignerWatch::table() const {
  return published_.with([](const Published& published) { return published.table; });
}

std::vector<SignerWatch::SignerStatus> SignerWatch::signers() const {
  return published_.with([](const Published& published) { return published.signers; });
}

}  // namespace revcache::revocation
