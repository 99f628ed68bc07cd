// Makes connections. Loop thread only.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/callback.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "net/stream.h"

namespace revcache::net {

using ConnectDone = Callback<Result<std::unique_ptr<Stream>>>;

class Transport {
 public:
  virtual ~Transport() = default;
  // Connects by TCP to exactly this address; fails with timed_out after `timeout`, unreachable
  // otherwise (blame: upstream). A result that nobody wants any more is dropped, which closes it.
  virtual void connect(const SocketAddress& address, std::chrono::milliseconds timeout,
                       ConnectDone done) = 0;

  // Runs a TLS client handshake over `tcp` and verifies the certificate for `server_name` (a host
  // name, or an IP address literal). Fails with untrusted, timed_out or disconnected.
  virtual void start_tls(std::unique_ptr<Stream> tcp, const std::string& server_name,
                         std::chrono::milliseconds timeout, ConnectDone done) = 0;
};

}  // namespace revcache::net
