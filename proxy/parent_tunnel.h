// A tunnel through the parent proxy: CONNECT (RFC 9110 section 9.3.6).
#pragma once

#include <memory>
#include <string>

#include "http/parser.h"
#include "net/stream.h"
#include "net/timers.h"
#include "net/transport.h"

namespace revcache::proxy {

// Sends CONNECT over a connection to the parent and gives the same connection once the parent has
// opened the tunnel; any other answer is a failure (unreachable). Lives until `done` has run, on
// one loop; `done` never runs inside start().
class ParentTunnel final : public std::enable_shared_from_this<ParentTunnel>,
                           private net::StreamReader {
 public:
  struct Plan {
    std::unique_ptr<net::Stream> stream;
    std::string authority;      // host:port of the origin
    std::string authorization;  // the value of Proxy-Authorization; empty: none
    std::chrono::milliseconds timeout{0};
  };

  // `timers` and `limits` must outlive the tunnel and the stream that it gives.
  ParentTunnel(net::Timers& timers, const http::ParserLimits& limits, Plan plan,
               net::ConnectDone done);

  void start();
  void cancel();  // closes the connection; `done` is destroyed unrun

 private:
  void on_read(std::string_view chunk) override;
  void on_read_end() override;
  void on_read_error(Error error) override;
  void on_answer(std::string_view rest);
  void finish(Result<std::unique_ptr<net::Stream>> outcome);

  net::Timers& timers_;
  http::ResponseParser parser_;
  Plan plan_;
  net::ConnectDone done_;
  std::unique_ptr<net::Timer> timer_;
};

}  // namespace revcache::proxy
