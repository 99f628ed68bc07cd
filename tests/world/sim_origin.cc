#include "tests/world/sim_origin.h"

#include <algorithm>
#include <utility>

#include "http/date.h"

namespace revcache::sim {

namespace {

std::string element(char tag, std::string_view content) {
  std::string out(1, tag);
  if (content.size() < 0x80U) {
    out += static_cast<char>(content.size());
  } else {
    // The shortest form for up to 16 MiB.
    const int octets = content.size() < 0x100U ? 1 : content.size() < 0x10000U ? 2 : 3;
    out += static_cast<char>(0x80 | octets);
    for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) {
      out += static_cast<char>(content.size() >> static_cast<unsigned>(shift) & 0xFFU);
    }
  }
  return out.append(content);
}

}  // namespace

// A CRL that nobody known signed: version 2, ecdsa-with-SHA256, issuer CN=Nobody, thisUpdate in
// 1970, no entry. The signature's place holds what tells one body from another.
std::string der_body(const std::string& name, std::uint64_t version, std::size_t content_bytes) {
  std::string content = name + " v" + std::to_string(version) + " ";
  while (content.size() < content_bytes) content += "0123456789abcdef";
  content.resize(std::max<std::size_t>(content_bytes, name.size() + 24));
  const std::string algorithm =
      element(0x30, element(0x06, std::string_view("\x2a\x86\x48\xce\x3d\x04\x03\x02", 8)));
  const std::string common_name =
      element(0x30, element(0x06, "\x55\x04\x03") + element(0x0c, "Nobody"));
  const std::string tbs =
      element(0x30, element(0x02, "\x01") + algorithm + element(0x30, element(0x31, common_name)) +
                        element(0x17, "700101000000Z"));
  return element(0x30, tbs + algorithm + element(0x03, std::string(1, '\0') + content));
}

// One connection of a client (the proxy): answers its requests one after another.
class SimOrigin::Connection final : public net::StreamReader,
                                    public std::enable_shared_from_this<Connection> {
 public:
  Connection(SimOrigin& origin, std::unique_ptr<net::Stream> stream)
      : origin_(origin), stream_(std::move(stream)), parser_(origin.limits_) {}

  void start() { stream_->start_reading(*this); }
  [[nodiscard]] bool closed() const noexcept { return stream_ == nullptr; }

  void on_read(std::string_view chunk) override {
    auto self = shared_from_this();
    while (!chunk.empty() && stream_ != nullptr) {
      const auto step = parser_.feed(chunk);
      chunk.remove_prefix(step.consumed);
      if (step.kind == http::StepKind::malformed) return close();
      if (step.kind == http::StepKind::head) answer_later(parser_.head());
    }
  }
  void on_read_end() override { close(); }
  void on_read_error(Error) override { close(); }

 private:
  void answer_later(const http::RequestHead& head) {
    const std::string path(head.target);
    ++origin_.requests_;
    ++origin_.requests_by_path_[path];
    auto& now = ++origin_.at_once_[path];
    origin_.most_at_once_[path] = std::max(origin_.most_at_once_[path], now);
    bool close_after = false;
    auto reply = origin_.reply_to(head, close_after);
    const auto delay =
        origin_.scheduler_.uniform(origin_.behaviour_.delay_min, origin_.behaviour_.delay_max);
    origin_.scheduler_.after(
        delay, [self = shared_from_this(), path, close_after, reply = std::move(reply)]() mutable {
          self->answer(path, std::move(reply), close_after);
        });
  }

  void answer(const std::string& path, std::string reply, bool close_after) {
    --origin_.at_once_[path];
    if (stream_ == nullptr) return;
    if (reply.empty()) return close();
    std::vector<SharedBytes> pieces;
    pieces.push_back(SharedBytes::take(std::move(reply)));
    stream_->write(std::move(pieces), [self = shared_from_this(), close_after](Result<void>) {
      if (close_after) self->close();
    });
  }

  void close() { stream_.reset(); }

  SimOrigin& origin_;
  std::unique_ptr<net::Stream> stream_;
  http::RequestParser parser_;
};

SimOrigin::SimOrigin(SimScheduler& scheduler, SimNetwork& network, const SocketAddress& address)
    : scheduler_(scheduler) {
  network.listen(address,
                 [this](std::unique_ptr<net::Stream> stream) { accept(std::move(stream)); });
}

SimOrigin::~SimOrigin() = default;

void SimOrigin::accept(std::unique_ptr<net::Stream> stream) {
  std::erase_if(connections_, [](const auto& connection) { return connection->closed(); });
  connections_.push_back(std::make_shared<Connection>(*this, std::move(stream)));
  connections_.back()->start();
}

std::uint64_t SimOrigin::version(const std::string& path) const {
  const auto found = versions_.find(path);
  return found == versions_.end() ? 0 : found->second;
}

int SimOrigin::most_at_once(const std::string& path) const {
  const auto found = most_at_once_.find(path);
  return found == most_at_once_.end() ? 0 : found->second;
}

std::uint64_t SimOrigin::requests(const std::string& path) const {
  const auto found = requests_by_path_.find(path);
  return found == requests_by_path_.end() ? 0 : found->second;
}

// Empty: hangs up.
std::string SimOrigin::reply_to(const http::RequestHead& head, bool& close_after) {
  if (scheduler_.chance(behaviour_.hang_up_probability)) return {};
  const auto date = http::date_text(std::chrono::floor<std::chrono::seconds>(scheduler_.wall()));
  const std::string common = "Date: " + date + "\r\n";
  if (scheduler_.chance(behaviour_.error_probability)) {
    return "HTTP/1.1 503 Service Unavailable\r\n" + common + "Content-Length: 0\r\n\r\n";
  }
  const std::string path(head.target);
  if (scheduler_.chance(behaviour_.web_page_probability)) {
    const std::string page = "<html>captive portal</html>";
    return "HTTP/1.1 200 OK\r\n" + common + "Content-Length: " + std::to_string(page.size()) +
           "\r\n\r\n" + page;
  }
  const auto now = version(path);
  const std::string etag = "\"" + std::to_string(now) + "\"";
  const std::string fields = common + "ETag: " + etag + "\r\nCache-Control: max-age=" +
                             std::to_string(behaviour_.max_age.count()) + "\r\n";
  const auto known = head.fields.find(http::FieldId::if_none_match);
  if (known && *known == etag) {
    ++not_modified_;
    return "HTTP/1.1 304 Not Modified\r\n" + fields + "\r\n";
  }
  auto body = body_ ? body_(path, now) : der_body(path, now, behaviour_.content_bytes);
  const std::string status =
      "HTTP/1.1 200 OK\r\n" + fields +
      "Content-Type: application/pkix-crl\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n";
  if (scheduler_.chance(behaviour_.truncate_probability)) {
    body.resize(body.size() / 2);
    close_after = true;
  }
  return status + body;
}

}  // namespace revcache::sim
