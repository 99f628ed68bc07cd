// What the tests of the upstream side share: one worker's upstream client in a simulated network.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/uri.h"
#include "proxy/upstream_client.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_origin.h"
#include "tests/sim/sim_resolver.h"
#include "tests/sim/sim_scheduler.h"

namespace revcache::proxy {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline http::Uri uri_of(std::string_view text) {
  std::string storage;
  return http::Uri(http::parse_absolute_form(text, storage).value());
}

inline SocketAddress address_of(std::string_view text) {
  return SocketAddress::parse(text).value();
}

inline cache::OriginRequest get(std::string_view url) {
  cache::OriginRequest request;
  request.uri = uri_of(url);
  return request;
}

inline cache::OriginRequest post(std::string_view url, std::string body) {
  auto request = get(url);
  request.method = http::Method::post;
  request.body = std::move(body);
  request.has_body = true;
  return request;
}

class RecordingLog final : public metrics::Log {
 public:
  void write(metrics::LogLevel, std::string_view event,
             std::initializer_list<metrics::LogField> fields) override {
    std::string line(event);
    for (const auto& field : fields) {
      line += ' ' + std::string(field.key) + '=';
      if (const auto* text = std::get_if<std::string_view>(&field.value)) line += *text;
      if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
        line += std::to_string(*number);
      }
    }
    lines.push_back(std::move(line));
  }
  std::vector<std::string> lines;
};

// One fetch and what came of it.
class Fetched final : public cache::OriginSink {
 public:
  explicit Fetched(const sim::SimScheduler& scheduler)
      : scheduler_(scheduler), began_(scheduler.elapsed()) {}

  void on_head(http::ResponseHead received, WallTime request_time) override {
    EXPECT_FALSE(over() || head) << "a second head, or one after the end";
    head = std::move(received);
    requested_at = request_time;
  }
  void on_body(std::string_view piece) override {
    EXPECT_TRUE(head && !over()) << "a body outside of a response";
    body += piece;
    ++pieces;
  }
  void on_complete() override {
    EXPECT_TRUE(head && !over());
    complete = true;
    took = scheduler_.elapsed() - began_;
  }
  void on_failed(Error failure) override {
    EXPECT_FALSE(over());
    error = std::move(failure);
    took = scheduler_.elapsed() - began_;
  }
  [[nodiscard]] bool over() const { return complete || error.has_value(); }
  // "200 body", "failed timed_out", "nothing".
  [[nodiscard]] std::string outcome() const {
    if (error) return "failed " + std::string(to_string(error->code));
    if (complete && head) return std::to_string(head->status) + ' ' + body;
    return "nothing";
  }

  std::unique_ptr<cache::OriginExchange> exchange;
  std::optional<http::ResponseHead> head;
  WallTime requested_at;
  std::string body;
  std::size_t pieces = 0;
  bool complete = false;
  std::optional<Error> error;
  std::chrono::nanoseconds took{0};

 private:
  const sim::SimScheduler& scheduler_;
  std::chrono::nanoseconds began_;
};

class UpstreamWorld {
 public:
  explicit UpstreamWorld(std::uint64_t seed = 1) : scheduler(seed) {
    config.access.destinations = {{.text = "*.test",
                                   .host = "test",
                                   .subdomains = true,
                                   .port = std::nullopt,
                                   .any_port = true}};
  }
  UpstreamWorld(const UpstreamWorld&) = delete;
  UpstreamWorld& operator=(const UpstreamWorld&) = delete;
  ~UpstreamWorld() {
    client_.reset();
    origins_.clear();
    scheduler.run_until_idle();
    EXPECT_EQ(network.open_streams(), 0U) << "connections are left";
    EXPECT_EQ(timers.pending(), 0U) << "timers are left";
    EXPECT_EQ(loop_metrics->upstream_connections.value(), 0);
  }

  [[nodiscard]] UpstreamSettings settings() const {
    auto shared = std::make_shared<const config::Config>(config);
    auto access =
        std::make_shared<const AccessControl>(config, listeners, std::vector<IpAddress>{});
    return {std::move(shared), std::move(access)};
  }

  // Made when first asked for, with `config` as it then is.
  UpstreamClient& client() {
    if (!client_) {
      client_ = std::make_unique<UpstreamClient>(
          UpstreamEnvironment{network, resolver, timers, scheduler, *loop_metrics, log,
                              "revcache-0123456789abcdef"},
          settings());
    }
    return *client_;
  }
  void destroy_client() { client_.reset(); }

  // A server under this name.
  sim::SimOrigin& serve(const std::string& host, std::string_view address,
                        sim::SimOrigin::Script script) {
    const auto socket = address_of(address);
    auto& name = resolver.name(host);
    name.answer = sim::NameAnswer::found;
    name.addresses.push_back(socket.ip);
    origins_.push_back(
        std::make_unique<sim::SimOrigin>(scheduler, network, socket, std::move(script)));
    return *origins_.back();
  }

  std::unique_ptr<Fetched> begin(cache::OriginRequest request) {
    auto fetched = std::make_unique<Fetched>(scheduler);
    fetched->exchange = client().fetch(std::move(request), *fetched);
    EXPECT_FALSE(fetched->over() || fetched->head) << "called back inside fetch()";
    return fetched;
  }
  // Runs until the fetch is over, at most a minute.
  std::unique_ptr<Fetched> fetch(cache::OriginRequest request) {
    auto fetched = begin(std::move(request));
    for (int i = 0; i < 60'000 && !fetched->over(); ++i) scheduler.run_for(milliseconds(1));
    fetched->exchange.reset();
    return fetched;
  }

  [[nodiscard]] std::uint64_t counted(metrics::UpstreamOutcome outcome) const {
    std::uint64_t sum = 0;
    for (const auto& label : loop_metrics->upstream_requests) {
      sum += label[metrics::index(outcome)].value();
    }
    return sum;
  }
  [[nodiscard]] std::uint64_t limit_hits(metrics::Limit limit) const {
    return loop_metrics->limits_hit[metrics::index(limit)].value();
  }

  sim::SimScheduler scheduler;
  sim::SimNetwork network{scheduler};
  sim::SimResolver resolver{scheduler};
  sim::SimTimers timers{scheduler};
  std::unique_ptr<metrics::LoopMetrics> loop_metrics = std::make_unique<metrics::LoopMetrics>();
  RecordingLog log;
  config::Config config;
  std::vector<SocketAddress> listeners;

 private:
  std::vector<std::unique_ptr<sim::SimOrigin>> origins_;
  std::unique_ptr<UpstreamClient> client_;
};

// Answers every request with 200 and this body.
inline sim::SimOrigin::Script always(std::string body) {
  return [body = std::move(body)](const auto&) {
    return sim::SimAnswer{.bytes = sim::http_response(200, body)};
  };
}

inline sim::SimOrigin::Script silent() {
  return [](const auto&) { return sim::SimAnswer{}; };
}

}  // namespace revcache::proxy
