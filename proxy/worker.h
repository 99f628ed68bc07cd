// The connections of one loop: accepts them, lends them parsers, watches their deadlines, drains
// them. Knows only interfaces of net/, so that a whole worker runs in simulation.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/callback.h"
#include "http/head_memo.h"
#include "http/parser.h"
#include "net/stream.h"
#include "net/timers.h"
#include "proxy/client_connection.h"
#include "proxy/worker_context.h"

namespace revcache::proxy {

// Loop thread only. `context` outlives it.
class Worker final : private ConnectionOwner {
 public:
  explicit Worker(WorkerContext& context);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  void accept(std::unique_ptr<net::Stream> stream);

  // Settings for requests that begin from now on. Parser limits stay those of the start.
  void apply(std::shared_ptr<const Settings> settings);

  // No connection is kept any longer than its request takes; `drained` runs once none is left, or
  // when limits.drain_timeout is over and the rest has been cut.
  void drain(Callback<> drained);

  [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }

 private:
  std::unique_ptr<http::RequestParser> borrow_parser() override;
  void return_parser(std::unique_ptr<http::RequestParser> parser) override;
  void retire(ClientConnection& connection) override;
  void bury(std::unique_ptr<RequestExchange> exchange) override;
  [[nodiscard]] bool draining() const override { return draining_; }

  bool admit(net::Stream& stream);
  void sweep();
  void empty_graveyard();
  void finish_drain_if_empty();

  WorkerContext& context_;
  http::ParserLimits parser_limits_;
  http::HeadMemo heads_;
  std::vector<std::unique_ptr<ClientConnection>> connections_;
  std::vector<std::unique_ptr<http::RequestParser>> parsers_;
  // Ended, but perhaps still on the call stack: destroyed when the loop is back at its top.
  std::vector<std::unique_ptr<ClientConnection>> retired_;
  std::vector<std::unique_ptr<RequestExchange>> buried_;
  std::unique_ptr<net::Timer> sweep_timer_;
  std::unique_ptr<net::Timer> drain_timer_;
  Callback<> drained_;
  bool draining_ = false;
};

}  // namespace revcache::proxy
