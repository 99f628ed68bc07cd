#include "proxy/upstream_mirrors.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
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
    const auto penalty = penalised_until_.find(candidate.authority());
    const bool penalised = penalty != penalised_until_.end() && penalty->second > now;
    (penalised ? failed_lately : ordered).push_back(std::move(candidate));
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

void UpstreamMirrors::failed(const http::Uri& uri, MonotonicTime now) {
  if (group_of(uri) == nullptr) return;
  penalised_until_[std::string(uri.authority())] = now + kMirrorPenalty;
}

void UpstreamMirrors::succeeded(const http::Uri& uri) {
  const auto known = penalised_until_.find(uri.authority());
  if (known != penalised_until_.end()) penalised_until_.erase(known);
}

}  // namespace revcache::proxy
