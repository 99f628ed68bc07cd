#include "proxy/revocation_figures.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/bytes.h"
#include "base/object_kind.h"
#include "metrics/families.h"
#include "pki/signature.h"

namespace revcache::proxy {

namespace {

using metrics::Family;
using metrics::gauge_family;
using metrics::Labels;
using FamilyList = std::vector<prometheus::MetricFamily>;

template <class Time>
double unix_seconds(Time time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

template <class Time>
void keep_earliest(std::optional<Time>& kept, const std::optional<Time>& other) {
  if (other && (!kept || *other < *kept)) kept = other;
}

// What one series tells. More than one CRL behind the label "other".
struct CrlFigures {
  std::optional<WallSeconds> this_update;
  std::optional<WallSeconds> next_update;
  std::optional<WallSeconds> next_publish;
  std::optional<WallTime> fetched;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;

  void add(const pki::ParsedCrl& crl, std::optional<WallTime> fetched_at) {
    keep_earliest(this_update, std::optional(crl.this_update));
    keep_earliest(next_update, crl.next_update);
    keep_earliest(next_publish, crl.next_publish);
    keep_earliest(fetched, fetched_at);
    entries += crl.entries;
    bytes += crl.der.text().size();
  }
};

class CrlTable {
 public:
  explicit CrlTable(const FetchTimes& fetched_at) : fetched_at_(fetched_at) {}

  void add(const revocation::Issuer& issuer) {
    for (const auto& held : issuer.crls) {
      const auto fetched = fetched_at_.find(held.url);
      const bool is_known = fetched != fetched_at_.end();
      add(issuer.authority, held.url, ObjectKind::crl, held.complete->crl(),
          is_known ? std::optional(fetched->second) : std::nullopt);
      if (held.delta == nullptr) continue;
      // Under the name of the complete CRL that it completes; its own URL is not kept.
      add(issuer.authority, held.url, ObjectKind::delta_crl, held.delta->crl(), std::nullopt);
    }
  }

  void move_to(FamilyList& out) && {
    add_times(out);
    add_sizes(out);
  }

 private:
  using Key = std::tuple<std::string, std::string, ObjectKind>;  // ca, crl, kind

  void add(const std::string& authority, const std::string& url, ObjectKind kind,
           const pki::ParsedCrl& crl, std::optional<WallTime> fetched) {
    Key key{authority, crl_label(url), kind};
    if (rows_.size() >= kCrlLabelsMax && !rows_.contains(key)) std::get<1>(key) = "other";
    rows_[std::move(key)].add(crl, fetched);
  }

  static Labels labels(const Key& key) {
    return {
        {"ca", std::get<0>(key)}, {"crl", std::get<1>(key)}, {"kind", to_string(std::get<2>(key))}};
  }

  template <class Time>
  void add_time(Family family, std::optional<Time> CrlFigures::* time, FamilyList& out) const {
    for (const auto& [key, row] : rows_) {
      if (row.*time) family.add(labels(key), unix_seconds(*(row.*time)));
    }
    std::move(family).move_to(out);
  }

  void add_times(FamilyList& out) const {
    add_time(gauge_family("revcache_crl_this_update_timestamp_seconds",
                          "thisUpdate of the CRL that is in use."),
             &CrlFigures::this_update, out);
    add_time(gauge_family("revcache_crl_next_update_timestamp_seconds",
                          "nextUpdate of the CRL that is in use."),
             &CrlFigures::next_update, out);
    add_time(gauge_family("revcache_crl_next_publish_timestamp_seconds",
                          "Next CRL Publish of the CRL that is in use, where it names one."),
             &CrlFigures::next_publish, out);
    add_time(gauge_family("revcache_crl_fetched_timestamp_seconds",
                          "Unix time of the last fetch that gave or confirmed the CRL in use."),
             &CrlFigures::fetched, out);
  }

  void add_sizes(FamilyList& out) const {
    Family entries = gauge_family("revcache_crl_entries", "Certificates that the CRL lists.");
    Family bytes = gauge_family("revcache_crl_size_bytes", "Size of the CRL.");
    for (const auto& [key, row] : rows_) {
      entries.add(labels(key), row.entries);
      bytes.add(labels(key), row.bytes);
    }
    std::move(entries).move_to(out);
    std::move(bytes).move_to(out);
  }

  const FetchTimes& fetched_at_;
  std::map<Key, CrlFigures> rows_;
};

void add_usable(const revocation::Snapshot& known, WallTime now, FamilyList& out) {
  Family usable = gauge_family("revcache_crl_usable",
                               "1 while the authority has a CRL that is within its dates, else 0.");
  std::set<std::string_view> told;
  for (const auto& issuer : known.issuers()) {
    if (!issuer.is_authority || issuer.configured_crls == 0) continue;
    if (!told.insert(issuer.authority).second) continue;
    const bool any = std::ranges::any_of(
        issuer.crls, [now](const auto& held) { return now < held.usable_until; });
    usable.add({{"ca", issuer.authority}}, any ? 1.0 : 0.0);
  }
  std::move(usable).move_to(out);
}

void add_clock(const revocation::ClockGuard& guard, WallTime now, FamilyList& out) {
  Family behind = gauge_family("revcache_clock_behind",
                               "1 while the clock is behind what was seen: nothing is answered.");
  behind.add({}, guard.is_behind(now) ? 1.0 : 0.0);
  std::move(behind).move_to(out);
  Family floor =
      gauge_family("revcache_clock_floor_timestamp_seconds", "The clock's durable lower bound.");
  if (const auto bound = guard.floor()) floor.add({}, unix_seconds(*bound));
  std::move(floor).move_to(out);
}

void append(FamilyList more, FamilyList& out) {
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

std::string crl_label(std::string_view url) {
  constexpr std::size_t kOctets = 4;
  const pki::Sha256 hash = pki::sha256(as_bytes(url));
  return pki::hex(ByteView(hash.data(), kOctets));
}

FamilyList crl_families(const revocation::Snapshot& known, const FetchTimes& fetched_at,
                        WallTime now) {
  CrlTable table(fetched_at);
  // Authorities come first in a snapshot.
  for (const auto& issuer : known.issuers()) table.add(issuer);
  FamilyList out;
  std::move(table).move_to(out);
  add_usable(known, now, out);
  return out;
}

FamilyList revocation_families(const RevocationParts& parts, WallTime now) {
  const auto known = parts.snapshot();
  const auto states = parts.refresh_figures().states();
  FetchTimes fetched_at;
  for (const auto& state : *states) {
    if (state.last_success) fetched_at.emplace(state.url, *state.last_success);
  }
  FamilyList out = crl_families(*known, fetched_at, now);
  append(parts.refresh_figures().families(*known), out);
  add_clock(parts.clock_guard(), now, out);
  return out;
}

}  // namespace revcache::proxy
