#include "dns_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <string_view>

#include "base/check.h"
#include "net/socket_address.h"

namespace revcache::net {

namespace {

constexpr std::size_t kHeaderBytes = 12;

void put16(std::string& out, unsigned value) {
  out += static_cast<char>((value >> 8U) & 0xffU);
  out += static_cast<char>(value & 0xffU);
}

std::string encode_name(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  return out + '\0';
}

// The name that the question starts with, and where it ends.
std::pair<std::string, std::size_t> decode_name(std::string_view message, std::size_t offset) {
  std::string name;
  for (std::size_t length = 0; (length = static_cast<unsigned char>(message.at(offset++))) != 0;) {
    if (!name.empty()) name += '.';
    for (const char letter : message.substr(offset, length)) {
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    }
    offset += length;
  }
  return {name, offset};
}

std::string encode_data(const DnsServer::Record& record) {
  if (record.type == kTypeCname) return encode_name(record.data);
  const auto address = IpAddress::parse(record.data);
  CHECK(address && address->is_v4() == (record.type == kTypeA));
  const auto& octets = address->octets();
  return {reinterpret_cast<const char*>(octets.data()), address->is_v4() ? 4U : 16U};
}

std::string encode_record(const DnsServer::Record& record) {
  constexpr unsigned kPointerToQuestion = 0xc000U + kHeaderBytes;
  std::string out;
  if (record.owner.empty()) {
    put16(out, kPointerToQuestion);
  } else {
    out += encode_name(record.owner);
  }
  put16(out, record.type);
  put16(out, 1);  // class IN
  put16(out, record.ttl_s >> 16U);
  put16(out, record.ttl_s & 0xffffU);
  const std::string data = encode_data(record);
  put16(out, static_cast<unsigned>(data.size()));
  return out + data;
}

}  // namespace

// RFC 1035 4.2.2: each message with its length before it. One question is all that tests ask.
class DnsServer::TcpClient final : public StreamReader {
 public:
  TcpClient(DnsServer& server, std::unique_ptr<Stream> stream)
      : server_(server), stream_(std::move(stream)) {
    stream_->start_reading(*this);
  }
  virtual ~TcpClient() = default;

  void on_read(std::string_view chunk) override {
    received_ += chunk;
    if (received_.size() <= kHeaderBytes) return;
    const auto reply = server_.answer(std::string_view(received_).substr(2), 65535);
    if (!reply) return;
    std::string message;
    put16(message, static_cast<unsigned>(reply->size()));
    message += *reply;
    const std::string_view whole = message;
    CHECK(stream_->try_write({&whole, 1}) == message.size());
  }
  void on_read_end() override { stream_->shutdown_write(); }
  void on_read_error(Error /*error*/) override {}

 private:
  DnsServer& server_;
  std::unique_ptr<Stream> stream_;
  std::string received_;
};

DnsServer::DnsServer(EventLoop& loop)
    : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  // TCP chooses the port and UDP takes the same, unless somebody else has it.
  bool bound = false;
  for (int attempt = 0; attempt < 20 && !bound; ++attempt) {
    listen_by_tcp(loop);
    const KernelAddress same = to_kernel(listener_->local_address());
    bound = ::bind(fd_, same.get(), same.length) == 0;
  }
  CHECK(bound);
  auto poll = std::make_unique<uv_poll_t>();
  CHECK(uv_poll_init(loop.uv_loop(), poll.get(), fd_) == 0);
  poll_.reset(poll.release());
  poll_->data = this;
  CHECK(uv_poll_start(poll_.get(), UV_READABLE, [](uv_poll_t* handle, int, int) noexcept {
          static_cast<DnsServer*>(handle->data)->serve_udp();
        }) == 0);
}

void DnsServer::listen_by_tcp(EventLoop& loop) {
  auto accept = [this](std::unique_ptr<Stream> stream) {
    tcp_clients_.push_back(std::make_unique<TcpClient>(*this, std::move(stream)));
  };
  auto listener = Listener::open(loop, {IpAddress::v4({127, 0, 0, 1}), 0}, {}, std::move(accept));
  CHECK(listener.has_value());
  listener_ = std::move(*listener);
}

DnsServer::~DnsServer() {
  poll_.reset();
  ::close(fd_);
}

std::string DnsServer::address() const { return local_of(fd_).to_string(); }

int DnsServer::questions(const std::string& host, std::uint16_t type) const {
  const auto found = questions_.find({host, type});
  return found == questions_.end() ? 0 : found->second;
}

void DnsServer::serve_udp() {
  constexpr std::size_t kDatagramBytesMax = 512;  // RFC 1035 4.2.1
  std::array<char, kDatagramBytesMax> buffer{};
  KernelAddress client;
  client.length = sizeof client.storage;
  const ssize_t size =
      ::recvfrom(fd_, buffer.data(), buffer.size(), 0, client.get(), &client.length);
  if (size < static_cast<ssize_t>(kHeaderBytes)) return;
  const auto reply = answer({buffer.data(), static_cast<std::size_t>(size)}, kDatagramBytesMax);
  if (reply) ::sendto(fd_, reply->data(), reply->size(), 0, client.get(), client.length);
}

std::optional<std::string> DnsServer::answer(std::string_view query, std::size_t bytes_max) {
  constexpr unsigned kResponse = 0x8180;  // recursion desired and available
  constexpr unsigned kTruncated = 0x0200;
  const auto [host, name_end] = decode_name(query, kHeaderBytes);
  const auto type = static_cast<std::uint16_t>(static_cast<unsigned char>(query.at(name_end + 1)));
  ++questions_[{host, type}];
  const auto found = replies_.find({host, type});
  const Reply reply = found != replies_.end() ? found->second : Reply{.code = kNameError};
  if (silent_ || reply.silent) return std::nullopt;

  std::string records;
  for (const Record& record : reply.records) records += encode_record(record);
  const std::string_view question = query.substr(kHeaderBytes, name_end + 4 - kHeaderBytes);
  const bool fits = kHeaderBytes + question.size() + records.size() <= bytes_max;
  std::string out(query.substr(0, 2));
  put16(out, kResponse | reply.code | (fits ? 0U : kTruncated));
  put16(out, 1);
  put16(out, fits ? static_cast<unsigned>(reply.records.size()) : 0U);
  put16(out, 0);
  put16(out, 0);
  out += question;
  if (fits) out += records;
  return out;
}

}  // namespace revcache::net
