#include "proxy/reply_channel.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

#include "base/check.h"
#include "cache/cache_status.h"
#include "http/serializer.h"

namespace revcache::proxy {

using cache::Reply;
using http::FieldId;

namespace {

constexpr std::string_view kKeepAlive = "Connection: keep-alive\r\n";
constexpr std::string_view kClose = "Connection: close\r\n";

// True for statuses whose replies have no content whatever their fields say (RFC 9110 6.4.1).
constexpr bool has_no_content(std::uint16_t status) noexcept {
  return status < 200 || status == 204 || status == 304;
}

// RFC 9111 5.1: Age says that the origin server neither made nor validated this response for this
// request; so it is there with what came from a cache, ours or another's.
bool has_age(const cache::CacheAnswer& answer) {
  return answer.status.hit || answer.status.collapsed || answer.response->fields.has(FieldId::age);
}

}  // namespace

void ReplyChannel::begin(const http::RequestHead& head, bool keep_alive) noexcept {
  version_ = head.version;
  head_only_ = head.method == http::Method::head;
  keep_alive_ = keep_alive;
  explicit_connection_ = head.version < http::Version{1, 1};
  chunked_ = false;
  ended_ = false;
  status_ = 0;
  body_bytes_ = 0;
  state_ = State::open;
}

std::string_view ReplyChannel::connection_field() const noexcept {
  if (!keep_alive_) return kClose;
  return explicit_connection_ ? kKeepAlive : std::string_view{};
}

std::string_view ReplyChannel::render_suffix(const cache::CacheStatus& status,
                                             std::int64_t age_seconds, bool with_age) noexcept {
  static_assert(sizeof(suffix_) >= cache::kCacheStatusBytesMax + 32 + kKeepAlive.size() + 2);
  char* out = suffix_.data();
  if (with_age) out += cache::render_age(std::chrono::seconds(age_seconds), out);
  out += cache::render_cache_status(status, out);
  const auto connection = connection_field();
  out = std::copy(connection.begin(), connection.end(), out);
  *out++ = '\r';
  *out++ = '\n';
  return {suffix_.data(), static_cast<std::size_t>(out - suffix_.data())};
}

void ReplyChannel::send_continue() {
  const std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
  send({&line, 1}, {});
}

void ReplyChannel::send_tunnel_established() {
  status_ = 200;
  ended_ = true;
  const std::string_view line = "HTTP/1.1 200 Connection Established\r\n\r\n";
  send({&line, 1}, {});
  complete_if_sent();
}

void ReplyChannel::send_text(const TextReply& reply, WallSeconds now) {
  if (reply.close) keep_alive_ = false;
  status_ = reply.status;
  ended_ = true;
  if (!head_only_) body_bytes_ = body_size(reply);
  const auto bytes = render(reply, now, connection_field(), head_only_);
  const std::string_view view = bytes;
  send({&view, 1}, {});
  complete_if_sent();
}

void ReplyChannel::send_stored(const cache::CacheAnswer& answer, const cache::ReplyPlan& plan) {
  const auto& stored = *answer.response;
  if (plan.reply == Reply::partial || plan.reply == Reply::range_not_satisfiable) {
    return send_partial(answer, plan);
  }
  const bool full = plan.reply == Reply::full;
  status_ = full ? stored.status : std::uint16_t{304};
  const bool with_body = full && !head_only_ && !has_no_content(status_);
  const bool body_follows = with_body && stored.on_disk;
  const auto suffix = render_suffix(answer.status, answer.age.count(), has_age(answer));
  const std::array<std::string_view, 3> pieces{
      full ? std::string_view(stored.rendered_head)
           : std::string_view(stored.rendered_not_modified),
      suffix, with_body && !body_follows ? stored.body.text() : std::string_view{}};
  ended_ = !body_follows;
  body_bytes_ = pieces[2].size();
  send({pieces.data(), pieces[2].empty() ? std::size_t{2} : std::size_t{3}}, stored.body);
  complete_if_sent();
}

// 206 with one range, or 416 (RFC 9110 15.3.7, 15.5.17).
void ReplyChannel::send_partial(const cache::CacheAnswer& answer, const cache::ReplyPlan& plan) {
  const auto& stored = *answer.response;
  const bool partial = plan.reply == Reply::partial;
  const std::uint64_t length = partial ? plan.last - plan.first + 1 : 0;
  status_ = partial ? 206 : 416;
  std::string head;
  http::append_status_line(head, status_, http::reason_phrase(status_));
  for (const auto& field : stored.fields.view()) {
    const bool describes_whole = field.id == FieldId::content_length ||
                                 field.id == FieldId::content_range || field.id == FieldId::age ||
                                 (!partial && field.id == FieldId::content_type);
    if (!describes_whole) http::append_field(head, field.name, field.value);
  }
  http::append_field(head, "Via", "1.1 revcache");
  const auto total = std::to_string(stored.body_bytes);
  http::append_field(head, "Content-Range",
                     partial ? "bytes " + std::to_string(plan.first) + "-" +
                                   std::to_string(plan.last) + "/" + total
                             : "bytes */" + total);
  http::append_field(head, "Content-Length", std::to_string(length));
  const auto suffix = render_suffix(answer.status, answer.age.count(), has_age(answer));
  const bool body_follows = partial && stored.on_disk && !head_only_;
  std::string_view body;
  if (partial && !body_follows && !head_only_) {
    body = stored.body.text().substr(plan.first, length);
  }
  ended_ = !body_follows;
  body_bytes_ = body.size();
  const std::array<std::string_view, 3> pieces{head, suffix, body};
  send(pieces, stored.body);
  complete_if_sent();
}

void ReplyChannel::begin_stream(const http::ResponseHead& head, const cache::CacheStatus& status) {
  status_ = head.status;
  const bool no_content = has_no_content(head.status) || head_only_;
  const bool known = head.framing == http::BodyFraming::length || no_content ||
                     head.framing == http::BodyFraming::none;
  std::string out;
  http::append_status_line(out, head.status, head.reason);
  for (const auto& field : head.fields.view()) {
    if (field.id != FieldId::content_length || known) {
      http::append_field(out, field.name, field.value);
    }
  }
  if (!no_content && head.framing == http::BodyFraming::none &&
      !head.fields.has(FieldId::content_length)) {
    http::append_field(out, "Content-Length", "0");
  }
  http::append_field(out, "Via", "1.1 revcache");
  if (!known) {
    chunked_ = version_ >= http::Version{1, 1};
    if (chunked_) http::append_field(out, "Transfer-Encoding", "chunked");
    if (!chunked_) keep_alive_ = false;
  }
  const std::array<std::string_view, 2> pieces{out, render_suffix(status, 0, false)};
  send(pieces, {});
}

bool ReplyChannel::send_piece(std::string_view piece) {
  if (piece.empty() || head_only_) return writes_pending_ == 0;
  body_bytes_ += piece.size();
  if (!chunked_) return send({&piece, 1}, {});
  std::array<char, 24> size_line{};
  const int length = std::snprintf(size_line.data(), size_line.size(), "%zx\r\n", piece.size());
  const std::array<std::string_view, 3> pieces{
      std::string_view(size_line.data(), static_cast<std::size_t>(length)), piece, "\r\n"};
  return send(pieces, {});
}

bool ReplyChannel::send_piece(const SharedBytes& piece) {
  CHECK(!chunked_);
  body_bytes_ += piece.size();
  const auto view = piece.text();
  return send({&view, 1}, piece);
}

void ReplyChannel::end() {
  if (state_ != State::open) return;
  ended_ = true;
  if (chunked_ && !head_only_) {
    const std::string_view last = "0\r\n\r\n";
    send({&last, 1}, {});
  }
  complete_if_sent();
}

// Only the last piece can be long.
std::size_t ReplyChannel::write_now(std::span<const std::string_view> pieces) {
  if (pieces.back().size() <= kAtOnceBytes) return stream_.try_write(pieces);
  std::array<std::string_view, 3> cut;
  CHECK(pieces.size() <= cut.size());
  std::ranges::copy(pieces, cut.begin());
  cut[pieces.size() - 1] = pieces.back().substr(0, kAtOnceBytes);
  return stream_.try_write({cut.data(), pieces.size()});
}

// One system call when the socket takes everything. What is left is queued: pieces inside `body`
// share its memory, others are copied.
bool ReplyChannel::send(std::span<const std::string_view> pieces, const SharedBytes& body) {
  if (state_ != State::open) return false;
  std::size_t sent = writes_pending_ != 0 ? 0 : write_now(pieces);
  std::size_t total = 0;
  for (const auto& piece : pieces) total += piece.size();
  if (sent == total) return true;
  const auto whole = body.text();
  std::vector<SharedBytes> rest;
  if (!tail_.empty()) rest.push_back(std::exchange(tail_, {}));  // comes first
  for (auto piece : pieces) {
    const auto skipped = std::min(sent, piece.size());
    sent -= skipped;
    piece.remove_prefix(skipped);
    if (piece.empty()) continue;
    const bool is_inside = !whole.empty() && piece.data() >= whole.data() &&
                           piece.data() + piece.size() <= whole.data() + whole.size();
    rest.push_back(
        is_inside ? body.slice(static_cast<std::size_t>(piece.data() - whole.data()), piece.size())
                  : SharedBytes::copy_of(piece));
  }
  if (!rest.empty() && rest.back().size() > kSliceBytes) {
    tail_ = rest.back().slice(kSliceBytes, rest.back().size());
    rest.back() = rest.back().slice(0, kSliceBytes);
  }
  queue(std::move(rest));
  return false;
}

void ReplyChannel::queue(std::vector<SharedBytes> pieces) {
  ++writes_pending_;
  stream_.write(std::move(pieces), [this](Result<void> written) { on_written(written); });
}

void ReplyChannel::on_written(const Result<void>& written) {
  --writes_pending_;
  if (!written) {
    state_ = State::broken;
    return observer_.on_reply_broken();
  }
  if (!tail_.empty()) {
    send_tail();
    return observer_.on_reply_progress();
  }
  complete_if_sent();
  if (writes_pending_ == 0) observer_.on_reply_drained();
}

// One slice; on_written() asks for the next.
void ReplyChannel::send_tail() {
  std::vector<SharedBytes> slice;
  slice.push_back(tail_.slice(0, kSliceBytes));
  tail_ = tail_.size() > kSliceBytes ? tail_.slice(kSliceBytes, tail_.size()) : SharedBytes();
  queue(std::move(slice));
}

void ReplyChannel::complete_if_sent() noexcept {
  if (state_ == State::open && ended_ && writes_pending_ == 0) state_ = State::complete;
}

}  // namespace revcache::proxy
