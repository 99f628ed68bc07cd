// How much a reply hands to the socket at once, and that it arrives whole and in order.
#include "proxy/reply_channel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace revcache::proxy {
namespace {

// Takes what `room` allows; what is queued is sent when the test says so.
class CountingStream final : public net::Stream {
 public:
  void start_reading(net::StreamReader&) override {}
  void stop_reading() override {}
  std::size_t try_write(std::span<const std::string_view> pieces) override {
    std::size_t taken = 0;
    for (const std::string_view piece : pieces) {
      const std::string_view part = piece.substr(0, room - std::min(room, taken));
      sent += part;
      taken += part.size();
    }
    calls.push_back(taken);
    return taken;
  }
  void write(std::vector<SharedBytes> pieces, Callback<Result<void>> done) override {
    std::size_t bytes = 0;
    for (const SharedBytes& piece : pieces) bytes += piece.size();
    calls.push_back(bytes);
    queued.emplace_back(std::move(pieces), std::move(done));
  }
  void shutdown_write() override {}
  [[nodiscard]] SocketAddress peer_address() const override { return {}; }
  [[nodiscard]] SocketAddress local_address() const override { return {}; }

  void send_next() {
    auto [pieces, done] = std::move(queued.front());
    queued.pop_front();
    for (const SharedBytes& piece : pieces) sent += piece.text();
    done({});
  }

  std::size_t room = std::size_t{16} << 20U;
  std::string sent;
  std::vector<std::size_t> calls;  // bytes of each
  std::deque<std::pair<std::vector<SharedBytes>, Callback<Result<void>>>> queued;
};

class ReplyOf : public ::testing::Test, private ReplyObserver {
 protected:
  ReplyOf() {
    http::RequestHead head;
    head.method = http::Method::get;
    channel.begin(head, true);
  }
  void on_reply_progress() override { ++progress; }
  void on_reply_drained() override { ++drained; }
  void on_reply_broken() override {}
  void begin_stream() {
    http::ResponseHead head;
    head.status = 200;
    head.framing = http::BodyFraming::length;
    head.content_length = 1;
    channel.begin_stream(head, {});
    stream.sent.clear();
    stream.calls.clear();
  }
  void send_all() {
    while (!stream.queued.empty()) stream.send_next();
  }

  static std::string body_of(std::size_t bytes) {
    std::string body(bytes, '\0');
    for (std::size_t at = 0; at < bytes; ++at) body[at] = static_cast<char>(at % 251);
    return body;
  }

  CountingStream stream;
  ReplyChannel channel{stream, *this};
  int progress = 0;
  int drained = 0;
};

TEST_F(ReplyOf, AShortBodyGoesOutInOneCall) {
  begin_stream();
  const std::string body = body_of(ReplyChannel::kAtOnceBytes);
  EXPECT_TRUE(channel.send_piece(SharedBytes::copy_of(body)));
  EXPECT_EQ(stream.calls, std::vector{body.size()});
  EXPECT_EQ(stream.sent, body);
}

TEST_F(ReplyOf, ALongBodyNeverHandsOverMoreThanItsShareAndArrivesWhole) {
  begin_stream();
  const std::string body = body_of(12 * ReplyChannel::kSliceBytes + 17);
  EXPECT_FALSE(channel.send_piece(SharedBytes::copy_of(body)));
  channel.end();
  EXPECT_EQ(channel.state(), ReplyChannel::State::open);
  send_all();
  EXPECT_EQ(stream.calls.front(), ReplyChannel::kAtOnceBytes);
  EXPECT_LE(*std::max_element(stream.calls.begin() + 1, stream.calls.end()),
            ReplyChannel::kSliceBytes);
  EXPECT_TRUE(stream.sent == body);
  EXPECT_GT(progress, 10);
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(channel.state(), ReplyChannel::State::complete);
}

TEST_F(ReplyOf, WhatIsSentBehindALongBodyComesBehindIt) {
  begin_stream();
  stream.room = 10;
  const std::string body = body_of(3 * ReplyChannel::kSliceBytes);
  EXPECT_FALSE(channel.send_piece(SharedBytes::copy_of(body)));
  EXPECT_FALSE(channel.send_piece("behind"));
  send_all();
  EXPECT_TRUE(stream.sent == body + "behind");
  EXPECT_TRUE(channel.drained());
}

}  // namespace
}  // namespace revcache::proxy
