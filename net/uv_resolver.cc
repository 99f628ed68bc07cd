#include "net/uv_resolver.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/check.h"
#include "net/address_order.h"

namespace revcache::net {

namespace {

constexpr std::chrono::seconds kLocalTtl{5};
// When only one family was answered for, the other is asked for again this soon.
constexpr std::chrono::seconds kHalfKnownTtl{30};

// RFC 6761 6.3: localhost and names below it are this machine, whatever DNS says.
bool is_localhost(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost");
}

std::vector<IpAddress> loopback_addresses() {
  std::array<std::uint8_t, 16> v6{};
  v6.back() = 1;
  return {IpAddress::v6(v6), IpAddress::v4({127, 0, 0, 1})};
}

std::unexpected<Error> no_such_host(const std::string& host) {
  return fail(ErrorCode::unreachable, Blame::upstream, "resolve " + host + ": no such host");
}

std::unexpected<Error> silence(const std::string& host) {
  return fail(ErrorCode::timed_out, Blame::upstream,
              "resolve " + host + ": no answer from the name servers in time");
}

ResolvedHost resolved(DnsCache::Answer answer) { return {std::move(answer.addresses), answer.ttl}; }

bool is_found(const std::optional<DnsAnswer>& answer) {
  return answer && answer->kind == DnsAnswer::Kind::found;
}

bool is_outage(const std::optional<DnsAnswer>& answer) {
  return !answer || answer->kind == DnsAnswer::Kind::timed_out ||
         answer->kind == DnsAnswer::Kind::failed;
}

}  // namespace

struct UvResolver::Waiter {
  Done done;
  std::unique_ptr<Timer> timer;
};

// One name that the servers are being asked for, by whoever wants to know.
struct UvResolver::Question {
  std::string host;
  std::list<Waiter> waiters;
  std::optional<DnsAnswer> a;
  std::optional<DnsAnswer> aaaa;
  std::unique_ptr<Timer> resolution_delay;
};

Result<std::unique_ptr<UvResolver>> UvResolver::open(EventLoop& loop, const Options& options) {
  auto channel = DnsChannel::open(loop, options.servers);
  if (!channel) return fail(std::move(channel));
  return std::unique_ptr<UvResolver>(new UvResolver(loop, options, std::move(*channel)));
}

UvResolver::UvResolver(EventLoop& loop, const Options& options, std::unique_ptr<DnsChannel> channel)
    : loop_(loop),
      options_(options),
      timers_(loop),
      cache_(loop, options.cache),
      hosts_(options.hosts_file, loop),
      resolv_conf_(options.resolv_conf, loop),
      channel_(std::move(channel)) {
  static_cast<void>(resolv_conf_.has_changed());  // as it is now, the channel knows it
}

UvResolver::~UvResolver() = default;

void UvResolver::resolve(const std::string& host, std::chrono::milliseconds timeout, Done done) {
  if (auto known = answer_at_once(host)) {
    return known_.answer_later(loop_, std::move(done), std::move(*known));
  }
  add_waiter(question_for(host), timeout, std::move(done));
}

std::optional<Result<ResolvedHost>> UvResolver::answer_at_once(const std::string& host) {
  if (is_localhost(host)) return ResolvedHost{loopback_addresses(), kLocalTtl};
  if (auto listed = hosts_.find(host); !listed.empty()) {
    return ResolvedHost{alternate_families(listed), kLocalTtl};
  }
  if (auto cached = cache_.find(host)) {
    if (cached->addresses.empty()) return no_such_host(host);
    return resolved(std::move(*cached));
  }
  if (questions_.size() >= options_.questions_max && !questions_.contains(host)) {
    return fail(ErrorCode::overloaded, Blame::local, "resolve " + host + ": too many questions");
  }
  return std::nullopt;
}

UvResolver::Question& UvResolver::question_for(const std::string& host) {
  const auto [position, is_new] = questions_.try_emplace(host);
  if (is_new) {
    position->second = std::make_unique<Question>();
    position->second->host = host;
    follow_resolv_conf();
    ask(*position->second);
  }
  return *position->second;
}

// Both families side by side. The channel outlives what it refers to here: a question ends only
// when both have been answered.
void UvResolver::ask(Question& question) {
  for (const DnsRecord record : {DnsRecord::aaaa, DnsRecord::a}) {
    channel_->query(question.host, record, [this, &question, record](DnsAnswer answer) {
      on_answer(question, record, std::move(answer));
    });
  }
}

void UvResolver::add_waiter(Question& question, std::chrono::milliseconds timeout, Done done) {
  const bool has_stand_in = cache_.has_stale(question.host);
  question.waiters.push_back({std::move(done), nullptr});
  const auto waiter = std::prev(question.waiters.end());
  waiter->timer = timers_.after(has_stand_in ? std::min(timeout, options_.stale_after) : timeout,
                                [this, &question, waiter] { on_waiter_timeout(question, waiter); });
}

void UvResolver::on_waiter_timeout(Question& question, std::list<Waiter>::iterator waiter) {
  std::list<Waiter> leaving;
  leaving.splice(leaving.end(), question.waiters, waiter);
  if (auto stale = cache_.revive(question.host)) {
    return tell(std::move(leaving), resolved(std::move(*stale)));
  }
  tell(std::move(leaving), silence(question.host));
}

void UvResolver::on_answer(Question& question, DnsRecord record, DnsAnswer answer) {
  (record == DnsRecord::a ? question.a : question.aaaa) = std::move(answer);
  if (question.a && question.aaaa) {
    const auto outcome = conclude(question);
    auto waiters = std::move(question.waiters);
    questions_.erase(questions_.find(question.host));
    if (questions_.empty()) old_channels_.clear();
    return tell(std::move(waiters), outcome);
  }
  if (!is_found(question.a) && !is_found(question.aaaa)) return;
  // RFC 8305 section 3: servers and middleboxes that drop AAAA must not hold up the rest.
  question.resolution_delay = timers_.after(options_.resolution_delay, [this, &question] {
    const auto outcome = conclude(question);
    tell(std::exchange(question.waiters, {}), outcome);
  });
}

// What the answers so far amount to, which is remembered.
Result<ResolvedHost> UvResolver::conclude(const Question& question) {
  std::vector<IpAddress> addresses;
  std::chrono::seconds ttl = options_.cache.ttl_max;
  for (const auto* answer : {&question.aaaa, &question.a}) {
    if (is_outage(*answer)) ttl = std::min(ttl, kHalfKnownTtl);
    if (!is_found(*answer)) continue;
    addresses.insert(addresses.end(), (*answer)->addresses.begin(), (*answer)->addresses.end());
    ttl = std::min(ttl, (*answer)->ttl);
  }
  if (!addresses.empty()) {
    addresses = alternate_families(addresses);
    cache_.store(question.host, addresses, ttl);
    return ResolvedHost{std::move(addresses), ttl};
  }
  if (!is_outage(question.a) && !is_outage(question.aaaa)) {
    cache_.store_absent(question.host);
    return no_such_host(question.host);
  }
  if (auto stale = cache_.revive(question.host)) return resolved(std::move(*stale));
  const DnsAnswer& failed = is_outage(question.a) ? *question.a : *question.aaaa;
  if (failed.kind == DnsAnswer::Kind::timed_out) return silence(question.host);
  return fail(ErrorCode::unreachable, Blame::upstream,
              "resolve " + question.host + ": " + failed.detail);
}

// Nothing may follow it: a callback may destroy the resolver, and then the others are not run.
void UvResolver::tell(std::list<Waiter> waiters, const Result<ResolvedHost>& answer) {
  const std::weak_ptr life = life_;
  for (Waiter& waiter : waiters) {
    waiter.timer.reset();
    std::exchange(waiter.done, nullptr)(answer);
    if (life.expired()) return;
  }
}

// A laptop moves, a DHCP lease changes, an administrator edits.
void UvResolver::follow_resolv_conf() {
  if (!options_.servers.servers.empty() || !resolv_conf_.has_changed()) return;
  auto renewed = DnsChannel::open(loop_, options_.servers);
  if (!renewed) return;  // half-written: the old servers still answer, and the next change is seen
  old_channels_.push_back(std::exchange(channel_, std::move(*renewed)));
}

}  // namespace revcache::net
