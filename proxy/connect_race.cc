#include "proxy/connect_race.h"

#include <algorithm>
#include <utility>

namespace revcache::proxy {

std::vector<IpAddress> interleave_families(const std::vector<IpAddress>& addresses) {
  std::vector<IpAddress> ordered;
  if (addresses.empty()) return ordered;
  std::vector<IpAddress> first;
  std::vector<IpAddress> second;
  for (const auto& address : addresses) {
    (address.is_v4() == addresses.front().is_v4() ? first : second).push_back(address);
  }
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) ordered.push_back(first[i]);
    if (i < second.size()) ordered.push_back(second[i]);
  }
  ordered.resize(std::min(ordered.size(), kConnectAddressesMax));
  return ordered;
}

ConnectRace::ConnectRace(net::Transport& transport, net::Timers& timers, const Clock& clock,
                         Plan plan, net::ConnectDone done)
    : transport_(transport),
      timers_(timers),
      clock_(clock),
      plan_(std::move(plan)),
      done_(std::move(done)) {}

void ConnectRace::start() { try_next(); }

void ConnectRace::cancel() {
  timer_.reset();
  done_ = nullptr;
}

void ConnectRace::try_next() {
  timer_.reset();
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(plan_.deadline - clock_.monotonic());
  while (next_ < plan_.addresses.size() && left.count() > 0) {
    const SocketAddress address{plan_.addresses[next_++], plan_.port};
    if (auto allowed = plan_.allowed(address); !allowed) {
      if (!denied_) denied_ = std::move(allowed.error());
      continue;
    }
    ++pending_;
    transport_.connect(address, left, [self = shared_from_this()](auto result) {
      self->on_result(std::move(result));
    });
    if (next_ < plan_.addresses.size()) {
      timer_ = timers_.after(kConnectStagger, [self = shared_from_this()] { self->try_next(); });
    }
    return;
  }
  if (pending_ > 0) return;
  if (left.count() <= 0 && !failed_) {
    failed_ = Error{ErrorCode::timed_out, Blame::upstream, "no time left to connect"};
  }
  timer_ = timers_.after(std::chrono::milliseconds(0), [self = shared_from_this()] {
    self->finish(std::unexpected(self->failure()));
  });
}

void ConnectRace::on_result(Result<std::unique_ptr<net::Stream>> result) {
  --pending_;
  if (!done_) return;
  if (result) return finish(std::move(result));
  failed_ = std::move(result.error());
  try_next();
}

void ConnectRace::finish(Result<std::unique_ptr<net::Stream>> outcome) {
  const auto self = shared_from_this();
  timer_.reset();
  std::exchange(done_, nullptr)(std::move(outcome));
}

Error ConnectRace::failure() const {
  if (failed_) return *failed_;
  if (denied_) return *denied_;
  return Error{ErrorCode::unreachable, Blame::upstream, "the name has no address"};
}

}  // namespace revcache::proxy
