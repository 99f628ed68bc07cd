// What happens once, before and after the run: addresses, results, handles.
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "bench/generator/generator.h"

namespace revcache::bench {
namespace {

constexpr std::size_t kReadBytes = std::size_t{256} * 1024;
constexpr std::uint64_t kSweepMs = 50;
constexpr std::uint64_t kSecondMs = 1000;

std::chrono::nanoseconds between(std::uint64_t from, std::uint64_t until) {
  return std::chrono::nanoseconds(until > from ? static_cast<std::int64_t>(until - from) : 0);
}

}  // namespace

std::expected<std::unique_ptr<Generator>, std::string> Generator::open(const Scenario& scenario,
                                                                       GeneratorOptions options) {
  auto catalogue = Catalogue::open(scenario, options.route);
  if (!catalogue) return std::unexpected(catalogue.error());
  std::unique_ptr<Generator> made(
      new Generator(scenario, std::move(options), std::move(*catalogue)));
  if (std::string wrong = made->resolve_all(); !wrong.empty()) return std::unexpected(wrong);
  return made;
}

Generator::Generator(const Scenario& scenario, GeneratorOptions options, Catalogue catalogue)
    : scenario_(scenario),
      options_(std::move(options)),
      catalogue_(std::move(catalogue)),
      buffer_(kReadBytes, '\0') {
  uv_loop_init(&loop_);
  for (std::size_t at = 0; at < scenario.loads.size(); ++at) {
    loads_.emplace_back(scenario.loads[at], Random(scenario.seed + at).next());
  }
}

Generator::~Generator() {
  links_.clear();
  due_.reset();
  sweep_.reset();
  second_.reset();
  spin_.reset();
  interrupt_.reset();
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
  if (timer_descriptor_ >= 0) close(timer_descriptor_);
}

// Before the run, and blocking: names are not looked up again.
std::string Generator::resolve_all() {
  std::vector<Address> seen;
  for (std::size_t object = 0; object < scenario_.objects.size(); ++object) {
    const Address& address = catalogue_.address_of(object);
    const auto found = std::ranges::find(seen, address);
    address_of_object_.push_back(static_cast<std::size_t>(found - seen.begin()));
    if (found != seen.end()) continue;
    seen.push_back(address);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    uv_getaddrinfo_t request;
    const std::string port = std::to_string(address.port);
    const int error =
        uv_getaddrinfo(&loop_, &request, nullptr, address.host.c_str(), port.c_str(), &hints);
    if (error < 0) return address.host + ": " + uv_strerror(error);
    sockaddr_storage& peer = peers_.emplace_back();
    std::memcpy(&peer, request.addrinfo->ai_addr, request.addrinfo->ai_addrlen);
    uv_freeaddrinfo(request.addrinfo);
  }
  return {};
}

void Generator::prepare_results() {
  results_.scenario = scenario_.name;
  results_.about = scenario_.about;
  results_.compressed = scenario_.compressed;
  results_.seed = scenario_.seed;
  results_.duration = scenario_.duration;
  const std::chrono::nanoseconds duration = scenario_.duration;
  constexpr std::chrono::nanoseconds kSlotMin = std::chrono::milliseconds(100);
  results_.slot = std::max(kSlotMin, duration / static_cast<std::int64_t>(kSlotsMax));
  const auto slots =
      static_cast<std::size_t>((duration - std::chrono::nanoseconds(1)) / results_.slot + 1);
  for (const Load& load : scenario_.loads) {
    LoadResult& result = results_.loads.emplace_back();
    result.name = load.name;
    result.slots.resize(slots);
  }
}

Results Generator::run() {
  prepare_results();
  started_ = uv_hrtime();
  start_handles();
  arm();
  stop_when_done();  // a scenario may have no arrival at all
  uv_run(&loop_, UV_RUN_DEFAULT);
  results_.took = between(started_, uv_hrtime());
  for (std::size_t object = 0; object < scenario_.objects.size(); ++object) {
    ObjectResult& result = results_.objects.emplace_back();
    result.name = scenario_.objects[object].name;
    for (const Version& version : catalogue_.versions(object)) {
      result.bodies.push_back(
          {.file = version.file, .hash = version.body_hash, .answers = version.seen});
    }
  }
  return std::move(results_);
}

void Generator::start_handles() {
  uv_update_time(&loop_);  // timers count from the loop's time, which is that of its making
  // libuv's own timers tick in milliseconds, far more than a hit takes.
  timer_descriptor_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  due_.reset(new uv_poll_t);
  uv_poll_init(&loop_, due_.get(), timer_descriptor_);
  due_->data = this;
  uv_poll_start(due_.get(), UV_READABLE, [](uv_poll_t* handle, int, int) {
    auto* self = static_cast<Generator*>(handle->data);
    std::uint64_t expirations = 0;
    if (read(self->timer_descriptor_, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN) {
      return;
    }
    self->issue_due();
  });
  sweep_.reset(new uv_timer_t);
  uv_timer_init(&loop_, sweep_.get());
  sweep_->data = this;
  const auto sweep = [](uv_timer_t* handle) {
    static_cast<Generator*>(handle->data)->give_up_late();
  };
  uv_timer_start(sweep_.get(), sweep, kSweepMs, kSweepMs);
  second_.reset(new uv_timer_t);
  uv_timer_init(&loop_, second_.get());
  second_->data = this;
  const auto second = [](uv_timer_t* handle) {
    static_cast<Generator*>(handle->data)->report_progress();
  };
  uv_timer_start(second_.get(), second, kSecondMs, kSecondMs);
  interrupt_.reset(new uv_signal_t);
  uv_signal_init(&loop_, interrupt_.get());
  interrupt_->data = this;
  const auto interrupt = [](uv_signal_t* handle, int) {
    auto* self = static_cast<Generator*>(handle->data);
    for (LoadState& load : self->loads_) load.next = std::nullopt;
    uv_signal_stop(handle);  // the second one ends the process
    self->stop_when_done();
  };
  uv_signal_start(interrupt_.get(), interrupt, SIGINT);
  if (!options_.spin) return;
  spin_.reset(new uv_idle_t);
  uv_idle_init(&loop_, spin_.get());
  spin_->data = this;
  uv_idle_start(spin_.get(),
                [](uv_idle_t* handle) { static_cast<Generator*>(handle->data)->issue_due(); });
}

}  // namespace revcache::bench
