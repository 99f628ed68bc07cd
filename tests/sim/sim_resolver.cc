#include "tests/sim/sim_resolver.h"

#include <utility>

#include "base/check.h"

namespace revcache::sim {

void SimResolver::set(const std::string& host, std::initializer_list<std::string_view> addresses) {
  SimName name;
  for (const auto text : addresses) {
    const auto address = IpAddress::parse(text);
    CHECK(address.has_value());
    name.addresses.push_back(*address);
  }
  set(host, std::move(name));
}

void SimResolver::resolve(const std::string& host, std::chrono::milliseconds timeout,
                          Callback<Result<net::ResolvedHost>> done) {
  questions_.push_back(host);
  const auto found = names_.find(host);
  const SimName name =
      found == names_.end() ? SimName{.answer = NameAnswer::no_such_name} : found->second;
  if (name.answer == NameAnswer::silence || name.delay > timeout) {
    scheduler_.after(timeout, [host, done = std::move(done)]() mutable {
      done(fail(ErrorCode::timed_out, Blame::upstream, "no answer for the name " + host));
    });
    return;
  }
  scheduler_.after(name.delay, [host, name, done = std::move(done)]() mutable {
    if (name.answer == NameAnswer::no_such_name || name.addresses.empty()) {
      return done(fail(ErrorCode::unreachable, Blame::upstream, "no such name: " + host));
    }
    done(net::ResolvedHost{.addresses = std::move(name.addresses), .ttl = name.ttl});
  });
}

}  // namespace revcache::sim
