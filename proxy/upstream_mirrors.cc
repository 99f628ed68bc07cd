#include "proxy/upstream_mirrors.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <limits>
#include <utility>

namespace revcache::proxy {

namespace {

bool is_member(const config::HostAndPort& member, const http::Uri& uri) {
  const auto port = member.port == 0 ? http::default_port(uri.scheme()) : member.port;
  return member.host == uri.host() && port == uri.port();
}

// The same scheme, path and query on another host; `uri` itself where that cannot be expressed.
http::Uri on_host(const http::Uri& uri, const config::HostAndPort& member) {
  const bool is_ipv6 = member.host.find(':') != std::string::npos;
  const auto port = member.port == 0 ? http::default_port(uri.scheme()) : member.port;
  std::string text(http::to_string(uri.scheme()));
  text += "://" + (is_ipv6 ? '[' + member.host + ']' : member.host) + ':' + std::to_string(port);
  text += uri.path();
  std::string storage;
  const auto parsed = http::parse_absolute_form(text, storage);
  return parsed ? http::Uri(*parsed) : uri;
}

}  // namespace

void MirrorLatency::add(std::chrono::milliseconds took) {
  constexpr std::int64_t kLongest = std::numeric_limits<std::uint32_t>::max();
  milliseconds_[added_++ % kSamplesMax] =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(took.count(), 0, kLongest));
}

std::optional<std::chrono::milliseconds> MirrorLatency::p95() const {
  if (added_ < kSamplesMin) return std::nullopt;
  auto sorted = milliseconds_;
  const auto count = std::min(added_, kSamplesMax);
  const auto last = sorted.begin() + static_cast<std::ptrdiff_t>(count);
  const auto rank = sorted.begin() + static_cast<std::ptrdiff_t>((count * 95 + 99) / 100 - 1);
  std::nth_element(sorted.begin(), rank, last);
  return std::chrono::milliseconds(*rank);
}

const config::Mirror* UpstreamMirrors::group_of(const http::Uri& uri) const {
  const auto group = std::ranges::find_if(groups_, [&](const auto& mirror) {
    return std::ranges::any_of(mirror.hosts,
                               [&](const auto& member) { return is_member(member, uri); });
  });
  return group == groups_.end() ? nullptr : &*group;
}

std::vector<http::Uri> UpstreamMirrors::candidates(const http::Uri& uri, MonotonicTime now) const {
  std::vector<http::Uri> ordered;
  std::vector<http::Uri> failed_lately;
  const auto offer = [&](http::Uri candidate) {
    (is_penalised(candidate, now) ? failed_lately : ordered).push_back(std::move(candidate));
  };
  offer(uri);
  if (const auto* group = group_of(uri); group != nullptr) {
    for (const auto& member : group->hosts) {
      if (!is_member(member, uri)) offer(on_host(uri, member));
    }
  }
  std::ranges::move(failed_lately, std::back_inserter(ordered));
  return ordered;
}

bool UpstreamMirrors::is_penalised(const http::Uri& uri, MonotonicTime now) const {
  const auto penalty = penalised_until_.find(uri.authority());
  return penalty != penalised_until_.end() && penalty->second > now;
}

void UpstreamMirrors::failed(const http::Uri& uri, MonotonicTime now) {
  if (group_of(uri) == nullptr) return;
  penalised_until_[std::string(uri.authority())] = now + kMirrorPenalty;
}

void UpstreamMirrors::succeeded(const http::Uri& uri) {
  const auto known = penalised_until_.find(uri.authority());
  if (known != penalised_until_.end()) penalised_until_.erase(known);
}

void UpstreamMirrors::answered(const http::Uri& uri, std::chrono::milliseconds took) {
  if (group_of(uri) != nullptr) latencies_[std::string(uri.authority())].add(took);
}

std::optional<std::chrono::milliseconds> UpstreamMirrors::hedge_after(const http::Uri& first,
                                                                      const http::Uri& second,
                                                                      MonotonicTime now) const {
  const auto known = latencies_.find(first.authority());
  if (known == latencies_.end() || is_penalised(second, now)) return std::nullopt;
  const auto usual = known->second.p95();
  return usual ? std::optional(std::max(*usual, kHedgeWaitMin)) : std::nullopt;
}

}  // namespace revcache::proxy
