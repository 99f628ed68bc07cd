#include "proxy/admin_purge.h"

#include <cstdint>
#include <utility>

#include "cache/cache_key.h"
#include "cache/purge.h"
#include "http/uri.h"
#include "pki/cert_id.h"
#include "pki/ocsp_request.h"
#include "proxy/admin_audit.h"
#include "revocation/object_form.h"

namespace revcache::proxy {
namespace {

using admin::Done;
using admin::ProblemKind;
using admin::Purged;

std::unexpected<admin::Problem> problem(ProblemKind kind, std::string text) {
  return std::unexpected(admin::Problem{kind, std::move(text)});
}

// The key of the question that the path spells; empty: none.
std::string ocsp_key_of(const http::UriView& uri, std::string_view origin) {
  std::string der;
  const auto found = pki::decode_ocsp_get_path(uri.path, der);
  if (!found || !found->question.single) return {};
  std::string key;
  cache::make_ocsp_key(key, origin, found->question.cert_id.der,
                       found->question.preferred_signature_algorithms);
  return key;
}

// What is said of a target in the audit trail and the log.
std::string text_of(const admin::PurgeTarget& target) {
  if (target.everything) return "all";
  return target.url.empty() ? target.authority : target.url;
}

Purged purged_of(cache::PurgeReport report) {
  return {.entries = report.entries,
          .bytes = report.bytes,
          .urls = std::move(report.urls),
          .more = report.more};
}

}  // namespace

cache::PurgeScope purge_scope_of_url(const std::string& url) {
  cache::PurgeScope scope;
  scope.urls.insert(url);
  std::string storage;
  const auto uri = http::parse_absolute_form(url, storage);
  if (!uri) return scope;
  const std::string_view origin = uri->text.substr(0, uri->text.size() - uri->path.size());
  if (auto key = ocsp_key_of(*uri, origin); !key.empty()) {
    scope.ocsp_keys.insert(std::move(key));
    return scope;
  }
  const auto kind = revocation::kind_by_request(http::Method::get, url, {});
  if (kind == ObjectKind::other || kind == ObjectKind::ocsp) {
    scope.responders.insert(std::string(origin));
  }
  return scope;
}

cache::PurgeScope purge_scope_of_authority(const std::vector<std::string>& urls,
                                           revocation::SnapshotPtr known,
                                           const std::string& authority) {
  cache::PurgeScope scope;
  scope.urls.insert(urls.begin(), urls.end());
  scope.certificates = [known = std::move(known), authority](ByteView der) {
    const auto cert_id = pki::parse_cert_id(der);
    if (!cert_id) return false;
    const auto* const issuer = known->find(*cert_id);
    return issuer != nullptr && issuer->authority == authority;
  };
  return scope;
}

Done<Purged> AdminPurge::run(const admin::PurgeTarget& target, cache::PurgeScope scope,
                             const std::string& by) {
  if (target.dry_run) {
    auto found = cache::find_purgeable(parts_.cache, parts_.disk, scope);
    if (!found) return problem(ProblemKind::failed, "the cache: " + found.error().detail);
    return purged_of(*std::move(found));
  }
  const std::unique_lock alone(one_at_a_time_, std::try_to_lock);
  if (!alone.owns_lock()) {
    return problem(ProblemKind::unavailable, "another purge is under way: try again");
  }
  const WallTime now = parts_.clock.wall();
  auto entry = audit_entry("purge", target.authority, by);
  entry["target"] = text_of(target);
  if (auto entered = enter_audit(parts_.state, std::move(entry), now); !entered) {
    return problem(ProblemKind::failed, "the state: " + entered.error().detail);
  }
  auto report = cache::purge(parts_.cache, parts_.disk,
                             std::make_shared<const cache::PurgeScope>(std::move(scope)));
  const std::string what = text_of(target);
  if (!report) {
    parts_.log.error("purge not confirmed by the disk",
                     {{"target", what}, {"reason", report.error().detail}, {"by", by}});
    return problem(
        ProblemKind::failed,
        "the disk refused: until the next start nothing of it is found, then it may be: " +
            report.error().detail);
  }
  parts_.log.warning("purged", {{"target", what},
                                {"entries", static_cast<std::int64_t>(report->entries)},
                                {"bytes", static_cast<std::int64_t>(report->bytes)},
                                {"by", by}});
  return purged_of(*std::move(report));
}

}  // namespace revcache::proxy
