#include "net/dns_cache.h"

#include <algorithm>
#include <utility>

namespace revcache::net {

std::optional<DnsCache::Answer> DnsCache::find(const std::string& host) {
  const auto found = by_host_.find(host);
  if (found == by_host_.end()) return std::nullopt;
  if (found->second->fresh_until <= clock_.monotonic()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  return answer_from(*found->second);
}

void DnsCache::store(const std::string& host, std::vector<IpAddress> addresses,
                     std::chrono::seconds ttl) {
  const auto fresh_until = clock_.monotonic() + std::clamp(ttl, options_.ttl_min, options_.ttl_max);
  put({host, std::move(addresses), fresh_until, fresh_until + options_.stale_max});
}

void DnsCache::store_absent(const std::string& host) {
  const auto fresh_until = clock_.monotonic() + options_.absent_ttl;
  put({host, {}, fresh_until, fresh_until});
}

bool DnsCache::has_stale(const std::string& host) const {
  const auto found = by_host_.find(host);
  return found != by_host_.end() && !found->second->addresses.empty() &&
         found->second->usable_until > clock_.monotonic();
}

std::optional<DnsCache::Answer> DnsCache::revive(const std::string& host) {
  if (!has_stale(host)) return std::nullopt;
  Entry& entry = *by_host_.find(host)->second;
  const auto stale_until = clock_.monotonic() + options_.stale_ttl;
  entry.fresh_until = std::max(entry.fresh_until, std::min(stale_until, entry.usable_until));
  return answer_from(entry);
}

void DnsCache::put(Entry entry) {
  if (const auto old = by_host_.find(entry.host); old != by_host_.end()) {
    const auto position = old->second;
    by_host_.erase(old);
    entries_.erase(position);
  }
  entries_.push_front(std::move(entry));
  by_host_.emplace(entries_.front().host, entries_.begin());
  while (entries_.size() > options_.entries_max) {
    by_host_.erase(entries_.back().host);
    entries_.pop_back();
  }
}

DnsCache::Answer DnsCache::answer_from(const Entry& entry) const {
  const auto left = entry.fresh_until - clock_.monotonic();
  return {entry.addresses, std::chrono::ceil<std::chrono::seconds>(left)};
}

}  // namespace revcache::net
