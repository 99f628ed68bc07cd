// How fresh the evidence is, at the time of a scrape: CRLs, the authorities that they are of, the
// refresher and the clock. Any thread but a loop: walks all CRLs and URLs.
#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "proxy/revocation_parts.h"
#include "revocation/snapshot.h"

namespace revcache::proxy {

// Complete CRLs and delta CRLs with series of their own, authorities' before learned issuers'.
// Further ones share the label "other": their earliest dates, their sizes added up.
inline constexpr std::size_t kCrlLabelsMax = 256;

std::vector<prometheus::MetricFamily> revocation_families(const RevocationParts& parts,
                                                          WallTime now);

// `fetched_at`: when each URL last gave what it holds.
using FetchTimes = std::map<std::string_view, WallTime>;
// revcache_crl_* of each CRL, and of each authority with configured CRLs whether one is usable.
std::vector<prometheus::MetricFamily> crl_families(const revocation::Snapshot& known,
                                                   const FetchTimes& fetched_at, WallTime now);

// "5f3a90c1": the first octets of the SHA-256 of a CRL's URL. The label `crl`.
std::string crl_label(std::string_view url);

}  // namespace revcache::proxy
