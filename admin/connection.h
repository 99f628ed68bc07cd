// One connection to the admin port: requests one after another, each answered before the next is
// looked at.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "admin/answer.h"
#include "admin/api.h"
#include "admin/compression.h"
#include "admin/pages.h"
#include "admin/server.h"
#include "http/parser.h"
#include "net/stream.h"
#include "net/timers.h"

namespace revcache::admin {

// Owned by its server; loop thread only. Ends by close(), which tells the server.
class AdminConnection final : public net::StreamReader,
                              public std::enable_shared_from_this<AdminConnection> {
 public:
  AdminConnection(AdminServer& server, std::size_t id, std::unique_ptr<net::Stream> stream);
  AdminConnection(const AdminConnection&) = delete;
  AdminConnection& operator=(const AdminConnection&) = delete;
  ~AdminConnection() = default;

  void start();
  void drain();  // see AdminServer::drain()
  void close();  // idempotent

  void on_read(std::string_view chunk) override;
  void on_read_end() override;
  void on_read_error(Error error) override;

 private:
  void consume(std::string_view chunk);
  void on_head();
  void on_body(std::string_view piece);
  void on_body_end();
  void on_malformed();
  void begin_answer();
  void make_metrics();
  void call_api(const ApiRequest& request, std::string body);
  void refresh(std::string_view body);
  void check(std::string body);
  void tell_health(std::string authority);
  void answer_off_loop(net::WorkKind kind, std::function<Answer()> make, Answer when_full);
  void send(Answer answer);
  void write(const Answer& answer);
  void on_sent(bool written);
  void linger();
  void watch(std::chrono::milliseconds timeout);

  AdminServer& server_;
  std::size_t id_;
  std::unique_ptr<net::Stream> stream_;  // null: closed
  http::RequestParser parser_;
  std::unique_ptr<net::Timer> deadline_;
  std::string
      unread_;       // came in before the answer to an earlier request was sent: one read at most
  Framing framing_;  // of the answer under way
  Codings codings_;  // that it may have
  std::optional<ApiRequest> called_;  // its body is being read
  std::string body_;                  // at most kApiBodyBytesMax
  bool answering_ = false;
  bool in_head_ = false;
  bool lingering_ = false;  // the last answer is sent; what still comes is thrown away
  bool peer_ended_ = false;
};

}  // namespace revcache::admin
