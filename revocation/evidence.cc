#include "revocation/evidence.h"

#include <algorithm>
#include <utility>

#include "pki/asn1_time.h"
#include "revocation/object_form.h"

namespace revcache::revocation {

namespace {

// Above this a body is judged off-loop even if nobody known can have signed it: parsing takes time.
constexpr std::size_t kOnLoopBytesMax = 16 * 1024;

std::size_t index(ObjectKind kind) { return static_cast<std::size_t>(kind); }

}  // namespace

Issuer* Evidence::Known::find(const pki::KeyHash& key) {
  const auto found = std::ranges::find(issuers, key, &Issuer::key);
  return found == issuers.end() ? nullptr : &*found;
}

// How many of an authority's configured URLs have given a CRL that is held.
void Evidence::Known::count_configured() {
  for (Issuer& issuer : issuers) {
    const auto urls =
        issuer.is_authority ? configured_urls.find(issuer.authority) : configured_urls.end();
    if (urls == configured_urls.end()) continue;
    issuer.configured_crls = urls->second.size();
    issuer.configured_crls_held =
        static_cast<std::size_t>(std::ranges::count_if(urls->second, [&](const std::string& url) {
          const auto evidence = of_url.find(url);
          return evidence != of_url.end() && std::ranges::find(issuer.crls, evidence->second.key,
                                                               &HeldCrl::key) != issuer.crls.end();
        }));
  }
}

Evidence::Evidence(Parts parts, Options options) : parts_(parts), options_(options) {}

Evidence::~Evidence() = default;

void Evidence::pin(const std::vector<std::string>& urls) {
  known_.with([&](Known& known) { known.pinned_urls.insert(urls.begin(), urls.end()); });
}

Result<cache::Admitted> Evidence::consider(const cache::AdmissionRequest& request) {
  auto judged = judge(request, Waiting::yes);
  if (!judged) return fail(std::move(judged));
  return **std::move(judged);
}

std::optional<Result<cache::Admitted>> Evidence::consider_now(
    const cache::AdmissionRequest& request) {
  if (request.body.size() > kOnLoopBytesMax) return std::nullopt;
  auto judged = judge(request, Waiting::no);
  if (!judged) return fail(std::move(judged));
  if (!*judged) return std::nullopt;
  return **std::move(judged);
}

Evidence::Judgement Evidence::judge(const cache::AdmissionRequest& request, Waiting may_wait) {
  if (auto form = check_form(request.kind, request.body.bytes()); !form) {
    return refused(request, {pki::Refusal::malformed, form.error().detail});
  }
  if (parts_.clock_guard.is_behind(request.now)) {
    const auto now = pki::rfc3339(floor<std::chrono::seconds>(request.now));
    return refused(request, {pki::Refusal::clock_behind,
                             "the clock says " + now + ", but newer evidence has been seen"});
  }
  switch (request.kind) {
    case ObjectKind::crl:
    case ObjectKind::delta_crl:
      return judge_crl(request, may_wait);
    case ObjectKind::ocsp:
      return judge_ocsp(request, may_wait);
    case ObjectKind::aia:
      return judge_certificates(request, may_wait);
    case ObjectKind::other:
      break;
  }
  return cache::Admitted{};
}

void Evidence::not_evidence(const cache::AdmissionRequest& request, const pki::Refused& refusal) {
  parts_.counters.refused[index(request.kind)][static_cast<std::size_t>(refusal.reason)].add();
  const auto kind = to_string(request.kind);
  parts_.log.warning("no evidence", {{"url", request.url},
                                     {"kind", kind},
                                     {"reason", to_string(refusal.reason)},
                                     {"detail", refusal.detail}});
}

std::unexpected<Error> Evidence::refused(const cache::AdmissionRequest& request,
                                         const pki::Refused& refusal) {
  // Whoever gets the error logs it.
  parts_.counters.refused[index(request.kind)][static_cast<std::size_t>(refusal.reason)].add();
  return std::unexpected(pki::to_error(refusal, Blame::upstream));
}

std::optional<EvidenceDates> Evidence::dates_of(std::string_view url) const {
  return known_.with([&](const Known& known) -> std::optional<EvidenceDates> {
    const auto found = known.of_url.find(url);
    if (found == known.of_url.end()) return std::nullopt;
    return found->second.dates;
  });
}

Result<std::optional<std::size_t>> Evidence::reset_floors(std::string_view authority) {
  std::vector<pki::KeyHash> keys;
  known_.with([&](const Known& known) {
    for (const Issuer& issuer : known.issuers) {
      if (issuer.authority == authority) keys.push_back(issuer.key);
    }
  });
  if (keys.empty()) return std::optional<std::size_t>();
  std::size_t total = 0;
  for (const pki::KeyHash& key : keys) {
    const std::lock_guard one_at_a_time(accept_lock(key));
    const auto gone = parts_.state.reset_floors(key);
    if (!gone) return fail(Result<std::size_t>(gone));
    total += *gone;
    if (auto reloaded = reload_seen(key); !reloaded) return fail(std::move(reloaded));
  }
  publish();
  return std::optional(total);
}

Result<bool> Evidence::revoke(std::string_view authority, std::string_view serial,
                              pki::CrlReason reason, std::string_view note, WallTime now) {
  const std::lock_guard no_reload(authorities_lock_);
  const auto key = key_of(authority);
  if (!key) return false;
  const ManualRevocation revocation{.issuer = *key,
                                    .serial = std::string(serial),
                                    .revoked_at = floor<std::chrono::seconds>(now),
                                    .reason = reason,
                                    .note = std::string(note)};
  const std::lock_guard one_at_a_time(accept_lock(*key));
  if (auto stored = parts_.state.revoke(revocation); !stored) return fail(std::move(stored));
  if (auto reloaded = reload_manual(*key, now); !reloaded) return fail(std::move(reloaded));
  return true;
}

Result<bool> Evidence::unrevoke(std::string_view authority, std::string_view serial, WallTime now) {
  const std::lock_guard no_reload(authorities_lock_);
  const auto key = key_of(authority);
  if (!key) return false;
  {
    const std::lock_guard one_at_a_time(accept_lock(*key));
    const auto lifted = parts_.state.unrevoke(*key, serial);
    if (!lifted) return fail(Result<bool>(lifted));
    if (!*lifted) return false;
    if (auto reloaded = reload_manual(*key, now); !reloaded) return fail(std::move(reloaded));
  }
  if (auto learned = relearn_issuers(now); !learned) return fail(std::move(learned));
  return true;
}

std::optional<pki::KeyHash> Evidence::key_of(std::string_view authority) const {
  return known_.with([&](const Known& known) -> std::optional<pki::KeyHash> {
    const auto found = std::ranges::find_if(known.issuers, [&](const Issuer& issuer) {
      return issuer.is_authority && issuer.authority == authority;
    });
    if (found == known.issuers.end()) return std::nullopt;
    return found->key;
  });
}

SnapshotPtr Evidence::snapshot() const {
  return known_.with([](const Known& known) { return known.snapshot; });
}

void Evidence::publish() {
  const std::lock_guard in_order(publish_lock_);
  SnapshotPtr made;
  // May be the last to hold millions of entries: freed after the lock.
  const SnapshotPtr before = known_.with([&made](Known& known) {
    made = std::make_shared<const Snapshot>(known.issuers);
    return std::exchange(known.snapshot, made);
  });
  if (publish_) publish_(std::move(made));
}

}  // namespace revcache::revocation
