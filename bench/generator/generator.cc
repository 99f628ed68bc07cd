#include "bench/generator/generator.h"

#include <sys/timerfd.h>

#include <algorithm>
#include <utility>

namespace revcache::bench {
namespace {

constexpr std::uint64_t kNanosPerSecond = 1'000'000'000;
// Sent in one go before answers are looked at again.
constexpr int kIssuedAtOnce = 64;

std::uint64_t count_of(std::chrono::nanoseconds time) {
  return static_cast<std::uint64_t>(time.count());
}

std::chrono::nanoseconds between(std::uint64_t from, std::uint64_t until) {
  return std::chrono::nanoseconds(until > from ? static_cast<std::int64_t>(until - from) : 0);
}

bool has_conditions(Form form) {
  return form == Form::revalidate || form == Form::revalidate_etag || form == Form::revalidate_date;
}

bool is_measured(Outcome outcome) {
  return outcome == Outcome::right || outcome == Outcome::wrong_status ||
         outcome == Outcome::wrong_body || outcome == Outcome::ocsp_refused ||
         outcome == Outcome::timed_out;
}

}  // namespace

Generator::LoadState::LoadState(const Load& from, std::uint64_t seed)
    : plan(&from), arrivals(from.arrivals, seed), random(~seed), next(arrivals.next()) {
  kept.resize(std::size_t{from.clients} * from.objects.size());
}

// Wakes the loop when the next request is due; a time that has passed wakes it at once.
void Generator::arm() {
  std::optional<std::chrono::nanoseconds> next;
  for (const LoadState& load : loads_) {
    if (load.next && (!next || *load.next < *next)) next = load.next;
  }
  itimerspec when{};
  if (next) {
    const Nanos at = started_ + count_of(*next);
    when.it_value.tv_sec = static_cast<time_t>(at / kNanosPerSecond);
    when.it_value.tv_nsec = static_cast<long>(at % kNanosPerSecond);
  }
  timerfd_settime(timer_descriptor_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void Generator::issue_due() {
  const Nanos now = uv_hrtime();
  for (int issued = 0; issued < kIssuedAtOnce;) {
    const auto next = std::ranges::min_element(loads_, {}, [](const LoadState& load) {
      return load.next.value_or(std::chrono::nanoseconds::max());
    });
    if (next == loads_.end() || !next->next || started_ + count_of(*next->next) > now) break;
    begin(static_cast<std::size_t>(next - loads_.begin()));
    ++issued;
  }
  arm();
  stop_when_done();
}

void Generator::begin(std::size_t index) {
  LoadState& load = loads_[index];
  Ask ask{.load = index, .due = started_ + count_of(*load.next)};
  ask.step_due = ask.due;
  load.next = load.arrivals.next();
  if (load.plan->clients > 0)
    ask.client = static_cast<std::uint32_t>(load.random.below(load.plan->clients));
  results_.lag.record(between(ask.due, uv_hrtime()));
  ++results_.loads[index].arrivals;
  ++progress_.arrivals;
  ++slot_of(ask).due;
  ++in_flight_;
  results_.in_flight_max = std::max(results_.in_flight_max, in_flight_);
  start_step(ask);
}

void Generator::start_step(const Ask& from) {
  Ask ask = from;
  LoadState& load = loads_[ask.load];
  const std::size_t object = load.plan->objects[ask.step];
  ask.variant = catalogue_.draw(object, load.random);
  ask.retried = false;
  ask.version = kNoVersion;
  if (!load.kept.empty()) {
    if (answered_by_client_cache(ask)) {
      ++results_.loads[ask.load].from_client_cache;
      return step_done(ask, kNoVersion);
    }
    ask.version = load.kept[ask.client * load.plan->objects.size() + ask.step].version;
  } else if (has_conditions(load.plan->form)) {
    ask.version = catalogue_.newest(object);
  }
  send(ask, false);
}

bool Generator::answered_by_client_cache(const Ask& ask) {
  const LoadState& load = loads_[ask.load];
  return load.kept[ask.client * load.plan->objects.size() + ask.step].until > uv_hrtime();
}

Wanted Generator::wanted(const Ask& ask) const {
  const Load& plan = *loads_[ask.load].plan;
  const bool client_revalidates = plan.clients > 0 && ask.version != kNoVersion;
  return {.object = plan.objects[ask.step],
          .variant = ask.variant,
          .method = plan.method,
          .form = client_revalidates && !has_conditions(plan.form) ? Form::revalidate : plan.form,
          .connection = plan.connection,
          .version = ask.version};
}

void Generator::send(Ask ask, bool fresh_connection) {
  LoadState& load = loads_[ask.load];
  const std::size_t address = address_of_object_[load.plan->objects[ask.step]];
  Link* link = connection_for(ask.load, address, fresh_connection);
  if (link == nullptr) {
    if (load.waiting.size() >= kWaitingMax) return finish(ask, Outcome::dropped);
    load.waiting.push_back(ask);
    return;
  }
  link->ask = ask;
  std::string request;
  catalogue_.write_request(wanted(ask), request);
  ++results_.loads[ask.load].requests;
  link->connection.send(peers_[address], std::move(request));
}

// An idle one to this address, else a new one; nullptr when there are too many.
Generator::Link* Generator::connection_for(std::size_t index, std::size_t address,
                                           bool fresh_connection) {
  LoadState& load = loads_[index];
  const auto idle =
      std::ranges::find(load.idle.rbegin(), load.idle.rend(), address, &Link::address);
  if (idle != load.idle.rend() && !fresh_connection) {
    Link* link = *idle;
    load.idle.erase(std::next(idle).base());
    link->idle = false;
    return link;
  }
  if (load.open >= load.plan->connections_max) {
    if (load.idle.empty()) return nullptr;
    Link* other = load.idle.front();
    load.idle.erase(load.idle.begin());
    drop(other);
  }
  ConnectionOwner& owner = *this;
  auto link = std::make_unique<Link>(loop_, buffer_, owner);
  Link* made = link.get();
  made->load = index;
  made->address = address;
  links_.emplace(&made->connection, std::move(link));
  ++load.open;
  ++results_.loads[index].connections;
  return made;
}

void Generator::drop(Link* link) {
  --loads_[link->load].open;
  links_.erase(&link->connection);
}

void Generator::release(Link* link, bool keep) {
  LoadState& load = loads_[link->load];
  if (keep && load.plan->connection == Connections::kept) {
    link->idle = true;
    load.idle.push_back(link);
  } else {
    drop(link);
  }
}

void Generator::start_waiting(std::size_t index) {
  LoadState& load = loads_[index];
  while (!load.waiting.empty() && (load.open < load.plan->connections_max || !load.idle.empty())) {
    const Ask ask = load.waiting.front();
    load.waiting.pop_front();
    send(ask, false);
  }
}

void Generator::on_ended(Connection& connection, Outcome outcome) {
  Link* link = links_.at(&connection).get();
  const std::size_t load = link->load;
  if (link->idle) {
    std::erase(loads_[load].idle, link);
    return drop(link);
  }
  Ask ask = link->ask;
  if (outcome == Outcome::right) {
    const Answer answer = connection.answer();
    count_answer(ask, answer, connection.written_at());
    release(link, answer.keeps_alive);
    std::uint32_t version = kNoVersion;
    const Outcome found = verdict(ask, answer, version);
    ask.waited = ask.waited || waited_for_upstream(answer.cache);
    found == Outcome::right ? step_done(ask, version) : finish(ask, found);
  } else {
    // RFC 9112 9.3.1: what an idle connection was closed under may be asked once more.
    const bool again = outcome == Outcome::cut && connection.closed_while_idle() && !ask.retried;
    drop(link);
    if (again) {
      ask.retried = true;
      ++results_.loads[load].retries;
      send(ask, true);
    } else {
      finish(ask, outcome);
    }
  }
  start_waiting(load);
  stop_when_done();
}

void Generator::count_answer(const Ask& ask, const Answer& answer, Nanos written_at) {
  LoadResult& result = results_.loads[ask.load];
  result.service.record(between(written_at, uv_hrtime()));
  ++result.cache[static_cast<std::size_t>(answer.cache)];
  ++slot_of(ask).cache[static_cast<std::size_t>(answer.cache)];
  ++result.statuses[static_cast<std::size_t>(
      std::clamp(answer.status, 0, static_cast<int>(kStatuses) - 1))];
  result.body_bytes += answer.body_bytes;
}

Outcome Generator::verdict(const Ask& ask, const Answer& answer, std::uint32_t& version) {
  const Wanted asked = wanted(ask);
  if (answer.status == 304 && asked.version != kNoVersion && has_conditions(asked.form)) {
    version = asked.version;
    return Outcome::right;
  }
  if (answer.status != 200) return Outcome::wrong_status;
  if (catalogue_.is_ocsp(asked.object) && answer.ocsp_status != 0) return Outcome::ocsp_refused;
  const Catalogue::Verdict checked = catalogue_.check(asked.object, ask.variant, answer);
  version = checked.version;
  return checked.right ? Outcome::right : Outcome::wrong_body;
}

void Generator::step_done(Ask ask, std::uint32_t version) {
  LoadState& load = loads_[ask.load];
  if (version != kNoVersion && !load.kept.empty()) {
    load.kept[ask.client * load.plan->objects.size() + ask.step] = {
        .until = uv_hrtime() + count_of(load.plan->client_keep), .version = version};
  }
  if (++ask.step == load.plan->objects.size()) return finish(ask, Outcome::right);
  ask.step_due = uv_hrtime();
  start_step(ask);
}

void Generator::finish(const Ask& ask, Outcome outcome) {
  LoadResult& result = results_.loads[ask.load];
  Slot& slot = slot_of(ask);
  const auto latency = between(ask.due, uv_hrtime());
  ++result.outcomes[static_cast<std::size_t>(outcome)];
  if (is_measured(outcome)) {
    result.latency.record(latency);
    slot.latency.record(latency);
    progress_.latency.record(latency);
  }
  const bool right = outcome == Outcome::right;
  ++(right ? slot.right : slot.failed);
  if (!right) ++progress_.failed;
  if (outcome == Outcome::wrong_body) ++slot.wrong_body;
  if (ask.waited) {
    ++result.waited;
    ++slot.waited;
  }
  --in_flight_;
}

Slot& Generator::slot_of(const Ask& ask) {
  std::vector<Slot>& slots = results_.loads[ask.load].slots;
  const auto at = static_cast<std::size_t>(between(started_, ask.due) / results_.slot);
  return slots[std::min(at, slots.size() - 1)];
}

void Generator::give_up_late() {
  const Nanos now = uv_hrtime();
  const Nanos timeout = count_of(scenario_.timeout);
  std::vector<Link*> late;
  for (const auto& [connection, link] : links_) {
    if (connection->busy() && link->ask.step_due + timeout <= now) late.push_back(link.get());
  }
  for (Link* link : late) {
    const Ask ask = link->ask;
    drop(link);
    finish(ask, Outcome::timed_out);
  }
  for (std::size_t index = 0; index < loads_.size(); ++index) {
    std::deque<Ask>& waiting = loads_[index].waiting;
    while (!waiting.empty() && waiting.front().step_due + timeout <= now) {
      finish(waiting.front(), Outcome::timed_out);
      waiting.pop_front();
    }
    start_waiting(index);
  }
  stop_when_done();
}

void Generator::report_progress() {
  progress_.elapsed = between(started_, uv_hrtime());
  progress_.in_flight = in_flight_;
  if (options_.progress) options_.progress(progress_);
  progress_.latency = Histogram();
}

void Generator::stop_when_done() {
  const bool more =
      std::ranges::any_of(loads_, [](const LoadState& load) { return load.next.has_value(); });
  if (!more && in_flight_ == 0) uv_stop(&loop_);
}

}  // namespace revcache::bench
