// The sending side of one client connection: one reply at a time, with back-pressure. A stored
// response goes out with one system call and without a copy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "cache/http_cache.h"
#include "cache/validation.h"
#include "http/message.h"
#include "net/stream.h"
#include "proxy/error_reply.h"

namespace revcache::proxy {

// Hears what happens to a reply after the call that sent it has returned.
class ReplyObserver {
 public:
  virtual void on_reply_progress() = 0;  // the client has taken some of it
  virtual void on_reply_drained() = 0;   // what was queued is sent; send more, or go on
  virtual void on_reply_broken() = 0;    // the client is gone

 protected:
  ~ReplyObserver() = default;
};

// Loop thread only; owned by the connection, which outlives it as observer.
class ReplyChannel {
 public:
  enum class State : std::uint8_t { idle, open, complete, broken };

  // A longer body does not go to the socket at once: that takes several MiB, and with them the time
  // of this loop's other clients. The rest follows in slices. Smaller ones cost more: 10 MiB in
  // slices of 64 or 256 KiB took a third more CPU, in slices of 1 MiB up to a fifth. How many go
  // out in a round is the loop's to say (net/event_loop.h).
  static constexpr std::size_t kAtOnceBytes = std::size_t{256} * 1024;
  static constexpr std::size_t kSliceBytes = std::size_t{2} * 1024 * 1024;

  ReplyChannel(net::Stream& stream, ReplyObserver& observer)
      : stream_(stream), observer_(observer) {}
  ReplyChannel(const ReplyChannel&) = delete;
  ReplyChannel& operator=(const ReplyChannel&) = delete;

  // A new request is to be replied to. `keep_alive` may still be taken back by close_after().
  void begin(const http::RequestHead& head, bool keep_alive) noexcept;
  void close_after() noexcept { keep_alive_ = false; }

  // 100 Continue; HTTP/1.1 clients only (RFC 9110 15.2).
  void send_continue();
  // Whole reply from a stored response whose body is in memory, or its head only when on_disk:
  // then the body follows by send_piece() and end().
  void send_stored(const cache::CacheAnswer& answer, const cache::ReplyPlan& plan);
  void send_text(const TextReply& reply, WallSeconds now);
  // 200 to CONNECT: no fields; the connection is a tunnel afterwards.
  void send_tunnel_established();

  // A reply whose body is not known yet. Chunked for HTTP/1.1 clients when the length is unknown,
  // ended by close for HTTP/1.0.
  void begin_stream(const http::ResponseHead& head, const cache::CacheStatus& status);
  // False: stop until on_reply_drained().
  bool send_piece(std::string_view piece);
  bool send_piece(const SharedBytes& piece);
  void end();
  // The body cannot be completed: the connection must be cut so that the client knows.
  void abort() noexcept { state_ = State::broken; }

  [[nodiscard]] State state() const noexcept { return state_; }
  // Everything handed over has been sent.
  [[nodiscard]] bool drained() const noexcept { return writes_pending_ == 0; }
  [[nodiscard]] bool keep_alive() const noexcept { return keep_alive_; }
  [[nodiscard]] bool is_head_request() const noexcept { return head_only_; }
  [[nodiscard]] bool started() const noexcept { return status_ != 0; }
  // Of the reply so far: for metrics and the access log.
  [[nodiscard]] std::uint16_t status() const noexcept { return status_; }
  [[nodiscard]] std::uint64_t body_bytes() const noexcept { return body_bytes_; }

 private:
  void send_partial(const cache::CacheAnswer& answer, const cache::ReplyPlan& plan);
  // Age (unless negative), Cache-Status, Connection and the empty line, into suffix_.
  std::string_view render_suffix(const cache::CacheStatus& status, std::int64_t age_seconds,
                                 bool with_age) noexcept;
  [[nodiscard]] std::string_view connection_field() const noexcept;
  bool send(std::span<const std::string_view> pieces, const SharedBytes& body);
  std::size_t write_now(std::span<const std::string_view> pieces);
  void queue(std::vector<SharedBytes> pieces);
  void on_written(const Result<void>& written);
  void send_tail();
  void complete_if_sent() noexcept;

  net::Stream& stream_;
  ReplyObserver& observer_;
  std::array<char, 256> suffix_{};
  SharedBytes tail_;  // of a long body: goes out slice by slice
  std::uint64_t body_bytes_ = 0;
  std::uint16_t status_ = 0;
  http::Version version_;
  State state_ = State::idle;
  bool keep_alive_ = true;
  bool explicit_connection_ = false;  // an HTTP/1.0 client must be told that we keep it
  bool head_only_ = false;
  bool chunked_ = false;
  std::uint16_t writes_pending_ = 0;
  bool ended_ = false;
};

}  // namespace revcache::proxy
