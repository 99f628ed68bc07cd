#include "proxy/worker.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/error_reply.h"

namespace revcache::proxy {

namespace {

constexpr std::chrono::milliseconds kSweepInterval{500};
constexpr std::size_t kSpareParsersMax = 64;

}  // namespace

Worker::Worker(WorkerContext& context)
    : context_(context), parser_limits_(context.settings->config->limits.parser) {
  sweep_timer_ = context_.timers.after(kSweepInterval, [this] { sweep(); });
}

Worker::~Worker() {
  drained_ = nullptr;
  for (std::size_t left = connections_.size(); left > 0; left = connections_.size()) {
    connections_.back()->close_now();
  }
}

void Worker::accept(std::unique_ptr<net::Stream> stream) {
  empty_graveyard();
  context_.metrics.client_connections_accepted.add();
  if (!admit(*stream)) return;
  context_.metrics.client_connections.add(1);
  auto connection = std::make_unique<ClientConnection>(std::move(stream), context_,
                                                       static_cast<ConnectionOwner&>(*this));
  connection->index = connections_.size();
  auto& accepted = *connection;
  connections_.push_back(std::move(connection));
  accepted.start();
}

// One over the limit is told so, as far as its socket takes it at once, and closed.
bool Worker::admit(net::Stream& stream) {
  const auto& limits = context_.settings->config->limits;
  const auto verdict = context_.connection_limits.acquire(
      stream.peer_address().ip, limits.connections, limits.connections_per_client);
  if (verdict == ConnectionLimits::Verdict::accepted) return true;
  const bool total = verdict == ConnectionLimits::Verdict::too_many;
  const auto limit = total ? metrics::Limit::connections : metrics::Limit::connections_per_client;
  context_.metrics.limits_hit[metrics::index(limit)].add();
  const TextReply reply{.status = 503,
                        .text = total ? "Too many connections: see limits.connections"
                                      : "Too many connections from this address: see "
                                        "limits.connections_per_client",
                        .close = true,
                        .allow = {},
                        .retry_after = std::chrono::seconds(1),
                        .cache_status = {}};
  const auto bytes = render(reply, std::chrono::floor<std::chrono::seconds>(context_.clock.wall()),
                            "Connection: close\r\n", false);
  const std::string_view view = bytes;
  stream.try_write({&view, 1});
  return false;
}

void Worker::apply(std::shared_ptr<const Settings> settings) {
  context_.settings = std::move(settings);
  context_.routes.forget();
}

void Worker::drain(Callback<> drained) {
  draining_ = true;
  drained_ = std::move(drained);
  // close_now() moves another connection to the place of the one that closes.
  for (std::size_t i = connections_.size(); i > 0; --i) {
    if (i <= connections_.size()) connections_[i - 1]->drain();
  }
  drain_timer_ = context_.timers.after(context_.settings->config->limits.drain_timeout, [this] {
    context_.log.warning("drain deadline reached",
                         {{"connections", static_cast<std::int64_t>(connections_.size())}});
    while (!connections_.empty()) connections_.back()->close_now();
    finish_drain_if_empty();
  });
  finish_drain_if_empty();
}

void Worker::finish_drain_if_empty() {
  if (!draining_ || !connections_.empty() || drained_ == nullptr) return;
  drain_timer_.reset();
  context_.executor.post(std::exchange(drained_, nullptr));
}

std::unique_ptr<http::RequestParser> Worker::borrow_parser() {
  if (parsers_.empty()) return std::make_unique<http::RequestParser>(parser_limits_, &heads_);
  auto parser = std::move(parsers_.back());
  parsers_.pop_back();
  return parser;
}

void Worker::return_parser(std::unique_ptr<http::RequestParser> parser) {
  if (parsers_.size() < kSpareParsersMax) parsers_.push_back(std::move(parser));
}

void Worker::retire(ClientConnection& connection) {
  const auto at = connection.index;
  context_.metrics.client_connections.add(-1);
  context_.connection_limits.release(connection.peer().ip);
  retired_.push_back(std::move(connections_[at]));
  if (at + 1 != connections_.size()) {
    connections_[at] = std::move(connections_.back());
    connections_[at]->index = at;
  }
  connections_.pop_back();
  finish_drain_if_empty();
}

void Worker::bury(std::unique_ptr<RequestExchange> exchange) {
  buried_.push_back(std::move(exchange));
}

void Worker::empty_graveyard() {
  buried_.clear();
  retired_.clear();
}

void Worker::sweep() {
  empty_graveyard();
  const auto now = context_.clock.monotonic();
  for (std::size_t i = connections_.size(); i > 0; --i) {
    if (i <= connections_.size()) connections_[i - 1]->check_deadline(now);
  }
  sweep_timer_ = context_.timers.after(kSweepInterval, [this] { sweep(); });
}

}  // namespace revcache::proxy
