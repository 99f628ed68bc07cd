// revcache-closed-loop: a closed-loop HTTP load. N connections each send a request, read the
// answer, check it, and send the next. One loop, one thread, so it is pinned to a core of its own.
//
//   revcache-closed-loop --port 3128 --request FILE --connections 64 --requests 100000
//                  [--address 127.0.0.1] [--close] [--hold] [--status 200] [--hash HEX]
//
// --request  raw bytes of a request; each %N% in it becomes a counter of 8 digits
// --close    a new connection for each request
// --hold     when all answers are there, keep the connections open until standard input ends
// --hash     fail answers whose body has another hash (default: the first answer's)
//
// Prints one line of JSON: requests, failed, seconds, latency in microseconds, body bytes and hash.
#include <uv.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/response_reader.h"

namespace revcache::bench {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::string_view kCounter = "%N%";
constexpr std::size_t kCounterDigits = 8;

struct Settings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::string request;
  std::size_t connections = 1;
  std::size_t requests = 1;
  bool close = false;
  bool hold = false;
  int status = 200;
  std::optional<std::uint64_t> hash;
};

class Load;

// One of the N closed loops; lives as long as Load. Its socket is made anew when it must.
struct Client {
  Load* load = nullptr;
  uv_tcp_t* tcp = nullptr;
  uv_connect_t connecting;
  std::string request;
  ResponseReader reader;
  std::uint64_t sent_at = 0;
  bool waiting = false;
};

class Load {
 public:
  explicit Load(Settings settings);

  int run();

 private:
  static void on_connect(uv_connect_t* connecting, int status);
  static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);

  void connect(Client& client);
  void disconnect(Client& client);
  void send_next(Client& client);
  void on_bytes(Client& client, std::string_view chunk);
  void on_closed(Client& client);
  void answered(Client& client);
  void fail(Client& client);
  void stop_or_hold();
  void report() const;

  Settings settings_;
  uv_loop_t loop_;
  uv_pipe_t standard_input_;
  sockaddr_in peer_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::size_t> counters_at_;
  std::vector<char> buffer_;
  std::vector<std::uint32_t> latencies_us_;
  std::size_t sent_ = 0;
  std::size_t finished_ = 0;
  std::size_t failed_ = 0;
  std::uint64_t started_at_ = 0;
  std::uint64_t ended_at_ = 0;
  ResponseSummary first_;
};

Load::Load(Settings settings) : settings_(std::move(settings)), buffer_(kReadBytes) {
  uv_loop_init(&loop_);
  uv_ip4_addr(settings_.address.c_str(), settings_.port, &peer_);
  std::string& text = settings_.request;
  for (std::size_t at = text.find(kCounter); at != std::string::npos;
       at = text.find(kCounter, at)) {
    text.replace(at, kCounter.size(), kCounterDigits, '0');
    counters_at_.push_back(at);
  }
  latencies_us_.reserve(settings_.requests);
  for (std::size_t i = 0; i < settings_.connections; ++i) {
    auto client = std::make_unique<Client>();
    client->load = this;
    client->request = text;
    clients_.push_back(std::move(client));
  }
}

int Load::run() {
  started_at_ = uv_hrtime();
  for (auto& client : clients_) connect(*client);
  uv_run(&loop_, UV_RUN_DEFAULT);
  return failed_ == 0 ? 0 : 1;
}

void Load::connect(Client& client) {
  client.tcp = new uv_tcp_t;
  uv_tcp_init(&loop_, client.tcp);
  client.tcp->data = &client;
  client.connecting.data = &client;
  const auto* address = reinterpret_cast<const sockaddr*>(&peer_);
  if (uv_tcp_connect(&client.connecting, client.tcp, address, on_connect) < 0) fail(client);
}

void Load::disconnect(Client& client) {
  if (client.tcp == nullptr) return;
  client.tcp->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(client.tcp),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_tcp_t*>(handle); });
  client.tcp = nullptr;
}

void Load::on_connect(uv_connect_t* connecting, int status) {
  auto& client = *static_cast<Client*>(connecting->data);
  if (status == UV_ECANCELED || client.tcp == nullptr) return;
  if (status < 0) return client.load->fail(client);
  uv_tcp_nodelay(client.tcp, 1);
  const auto allocate = [](uv_handle_t* handle, std::size_t, uv_buf_t* out) {
    auto* owner = static_cast<Client*>(handle->data);
    *out = uv_buf_init(owner->load->buffer_.data(), kReadBytes);
  };
  uv_read_start(reinterpret_cast<uv_stream_t*>(client.tcp), allocate, on_read);
  client.load->send_next(client);
}

void Load::send_next(Client& client) {
  if (sent_ == settings_.requests) return disconnect(client);  // others were faster
  for (const std::size_t at : counters_at_) {
    char digits[kCounterDigits + 1];
    std::snprintf(digits, sizeof(digits), "%08zu", sent_ % 100'000'000);
    std::memcpy(client.request.data() + at, digits, kCounterDigits);
  }
  ++sent_;
  client.waiting = true;
  client.sent_at = uv_hrtime();
  uv_buf_t whole = uv_buf_init(client.request.data(), static_cast<unsigned>(client.request.size()));
  const int taken = uv_try_write(reinterpret_cast<uv_stream_t*>(client.tcp), &whole, 1);
  // A request is far smaller than an empty socket buffer: less than all of it is a failure.
  if (taken != static_cast<int>(client.request.size())) fail(client);
}

void Load::on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  auto& client = *static_cast<Client*>(stream->data);
  if (count > 0) client.load->on_bytes(client, {buffer->base, static_cast<std::size_t>(count)});
  if (count < 0) client.load->on_closed(client);
}

void Load::on_bytes(Client& client, std::string_view chunk) {
  while (!chunk.empty() && client.tcp != nullptr) {
    if (!client.waiting) return fail(client);
    switch (client.reader.feed(chunk)) {
      case ResponseReader::Outcome::need_more:
        break;
      case ResponseReader::Outcome::malformed:
        return fail(client);
      case ResponseReader::Outcome::complete:
        answered(client);
        break;
    }
  }
}

void Load::on_closed(Client& client) {
  if (client.waiting && client.reader.finish() == ResponseReader::Outcome::complete) {
    return answered(client);
  }
  if (client.waiting) return fail(client);
  disconnect(client);
}

void Load::answered(Client& client) {
  client.waiting = false;
  latencies_us_.push_back(static_cast<std::uint32_t>((uv_hrtime() - client.sent_at) / 1000));
  const ResponseSummary& summary = client.reader.summary();
  if (finished_ == 0) first_ = summary;
  const bool right = summary.status == settings_.status &&
                     summary.body_hash == settings_.hash.value_or(first_.body_hash);
  if (!right) ++failed_;
  ++finished_;
  ended_at_ = uv_hrtime();
  if (settings_.close) {
    disconnect(client);
    if (sent_ < settings_.requests) connect(client);
  } else if (sent_ < settings_.requests) {
    send_next(client);
  } else if (!settings_.hold) {
    disconnect(client);
  }
  if (finished_ == settings_.requests) stop_or_hold();
}

// A failed client does not come back: a broken server must not be hammered.
void Load::fail(Client& client) {
  if (client.waiting || client.tcp != nullptr) ++failed_;
  client.waiting = false;
  disconnect(client);
  const bool any_left = std::any_of(clients_.begin(), clients_.end(),
                                    [](const auto& other) { return other->tcp != nullptr; });
  if (!any_left) stop_or_hold();
}

void Load::stop_or_hold() {
  report();
  if (!settings_.hold || failed_ > 0) return;
  uv_pipe_init(&loop_, &standard_input_, 0);
  uv_pipe_open(&standard_input_, 0);
  const auto allocate = [](uv_handle_t*, std::size_t, uv_buf_t* out) {
    static char ignored[64];
    *out = uv_buf_init(ignored, sizeof(ignored));
  };
  uv_read_start(reinterpret_cast<uv_stream_t*>(&standard_input_), allocate,
                [](uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
                  if (count < 0) uv_stop(stream->loop);
                });
}

void Load::report() const {
  std::vector<std::uint32_t> sorted = latencies_us_;
  std::sort(sorted.begin(), sorted.end());
  const auto percentile = [&sorted](std::size_t hundredths) -> std::uint32_t {
    return sorted.empty() ? 0
                          : sorted[std::min(sorted.size() - 1, sorted.size() * hundredths / 100)];
  };
  const double seconds = static_cast<double>(ended_at_ - started_at_) / 1e9;
  std::printf(
      "{\"requests\": %zu, \"failed\": %zu, \"seconds\": %.6f, \"p50_us\": %u, \"p90_us\": %u, "
      "\"p99_us\": %u, \"status\": %d, \"body_bytes\": %llu, \"body_hash\": \"%016llx\"}\n",
      finished_, failed_, seconds, percentile(50), percentile(90), percentile(99), first_.status,
      static_cast<unsigned long long>(first_.body_bytes),
      static_cast<unsigned long long>(first_.body_hash));
  std::fflush(stdout);
}

template <class Number>
bool read_number(std::string_view text, Number& out, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc{} && end == text.data() + text.size();
}

bool read_file(std::string_view name, std::string& out) {
  std::ifstream input(std::string(name), std::ios::binary);
  std::ostringstream content;
  content << input.rdbuf();
  out = content.str();
  return !out.empty();
}

bool read_option(std::string_view name, std::string_view value, Settings& settings) {
  if (name == "--address") settings.address = value;
  if (name == "--address") return true;
  if (name == "--port") return read_number(value, settings.port);
  if (name == "--request") return read_file(value, settings.request);
  if (name == "--connections") return read_number(value, settings.connections);
  if (name == "--requests") return read_number(value, settings.requests);
  if (name == "--status") return read_number(value, settings.status);
  if (name == "--hash") return read_number(value, settings.hash.emplace(), 16);
  return false;
}

std::optional<Settings> read_settings(int count, char** arguments) {
  Settings settings;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "--close") {
      settings.close = true;
    } else if (name == "--hold") {
      settings.hold = true;
    } else if (++i == count || !read_option(name, arguments[i], settings)) {
      return std::nullopt;
    }
  }
  const bool usable = settings.port != 0 && !settings.request.empty() &&
                      settings.connections != 0 && settings.requests >= settings.connections;
  return usable ? std::optional(std::move(settings)) : std::nullopt;
}

}  // namespace
}  // namespace revcache::bench

int main(int count, char** arguments) {
  auto settings = revcache::bench::read_settings(count, arguments);
  if (!settings) {
    std::fputs(
        "usage: revcache-closed-loop --port N --request FILE --connections N --requests N\n"
        "       [--address A] [--close] [--hold] [--status N] [--hash HEX]\n"
        "requests must not be fewer than connections\n",
        stderr);
    return 4;
  }
  return revcache::bench::Load(std::move(*settings)).run();
}
