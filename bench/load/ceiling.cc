// The ceiling: the least that a libuv + llhttp server can do for a request. It parses all fields
// and records where each lies, then answers every request with the same bytes by uv_try_write. What
// revcache costs is told as a ratio to this program, measured in the same run.
//
//   revcache-ceiling --port 8080 --response FILE [--defer-accept] [--eager-read]
//
// --defer-accept  TCP_DEFER_ACCEPT: the kernel hands over connections that have something to read
// --eager-read    one read right after accept, before the loop is asked to watch the socket
//
// One loop, one thread. It also plays the origin where the latency of a miss is measured.
#include <llhttp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kFieldsMax = 100;
constexpr int kBacklog = 4096;

struct Span {
  const char* at = nullptr;
  std::size_t length = 0;
};

struct Settings {
  std::uint16_t port = 0;
  std::string response;
  bool defer_accept = false;
  bool eager_read = false;
};

struct Server;

// One client connection; freed by its close callback.
struct Connection {
  uv_tcp_t tcp;
  llhttp_t parser;
  Server* server;
  bool close_after_write = false;
  bool closing = false;
};

struct Server {
  explicit Server(Settings from) : settings(std::move(from)) {}

  Settings settings;
  uv_loop_t loop;
  uv_tcp_t listener;
  llhttp_settings_t callbacks;
  std::array<char, kReadBytes> buffer;
  // Fields of the request being parsed. Shared by all connections: a request that does not end in
  // the chunk where it began is parsed all the same, and its spans before the cut are forgotten.
  std::array<Span, kFieldsMax> names;
  std::array<Span, kFieldsMax> values;
  Span target;
  std::size_t fields = 0;
};

Connection* connection_of(llhttp_t* parser) { return static_cast<Connection*>(parser->data); }

void close_connection(Connection* connection) {
  if (connection->closing) return;
  connection->closing = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&connection->tcp),
           [](uv_handle_t* handle) { delete static_cast<Connection*>(handle->data); });
}

// What the socket did not take at once; the response itself belongs to the server.
void write_rest(Connection* connection, std::size_t sent) {
  std::string& response = connection->server->settings.response;
  auto* request = new uv_write_t;
  request->data = connection;
  uv_buf_t rest =
      uv_buf_init(response.data() + sent, static_cast<unsigned>(response.size() - sent));
  const auto done = [](uv_write_t* written, int status) {
    auto* owner = static_cast<Connection*>(written->data);
    delete written;
    if (status < 0 || owner->close_after_write) close_connection(owner);
  };
  if (uv_write(request, reinterpret_cast<uv_stream_t*>(&connection->tcp), &rest, 1, done) < 0) {
    delete request;
    close_connection(connection);
  }
}

void answer(Connection* connection) {
  std::string& response = connection->server->settings.response;
  uv_buf_t whole = uv_buf_init(response.data(), static_cast<unsigned>(response.size()));
  auto* stream = reinterpret_cast<uv_stream_t*>(&connection->tcp);
  const int sent = uv_try_write(stream, &whole, 1);
  if (sent < 0 && sent != UV_EAGAIN) return close_connection(connection);
  const std::size_t taken = sent < 0 ? 0 : static_cast<std::size_t>(sent);
  if (taken < response.size()) return write_rest(connection, taken);
  if (connection->close_after_write) close_connection(connection);
}

int on_begin(llhttp_t* parser) {
  Server& server = *connection_of(parser)->server;
  server.fields = 0;
  server.target = {};
  return 0;
}

int on_url(llhttp_t* parser, const char* at, std::size_t length) {
  connection_of(parser)->server->target = {at, length};
  return 0;
}

int on_field(llhttp_t* parser, const char* at, std::size_t length) {
  Server& server = *connection_of(parser)->server;
  if (server.fields >= kFieldsMax) return -1;
  server.names[server.fields] = {at, length};
  return 0;
}

int on_value(llhttp_t* parser, const char* at, std::size_t length) {
  Server& server = *connection_of(parser)->server;
  server.values[server.fields] = {at, length};
  return 0;
}

int on_value_complete(llhttp_t* parser) {
  ++connection_of(parser)->server->fields;
  return 0;
}

int on_message_complete(llhttp_t* parser) {
  Connection* connection = connection_of(parser);
  if (connection->closing) return -1;
  connection->close_after_write = llhttp_should_keep_alive(parser) == 0;
  answer(connection);
  return 0;
}

void feed(Connection* connection, const char* data, std::size_t length) {
  if (llhttp_execute(&connection->parser, data, length) != HPE_OK) close_connection(connection);
}

void allocate(uv_handle_t* handle, std::size_t /*suggested*/, uv_buf_t* out) {
  auto& buffer = static_cast<Connection*>(handle->data)->server->buffer;
  *out = uv_buf_init(buffer.data(), static_cast<unsigned>(buffer.size()));
}

void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  auto* connection = static_cast<Connection*>(stream->data);
  if (count < 0) return close_connection(connection);
  if (count > 0) feed(connection, buffer->base, static_cast<std::size_t>(count));
}

// True when the connection still has to be watched.
bool read_eagerly(Connection* connection) {
  uv_os_fd_t descriptor = -1;
  uv_fileno(reinterpret_cast<uv_handle_t*>(&connection->tcp), &descriptor);
  auto& buffer = connection->server->buffer;
  const ssize_t count = read(descriptor, buffer.data(), buffer.size());
  if (count > 0) feed(connection, buffer.data(), static_cast<std::size_t>(count));
  if (count == 0) close_connection(connection);
  return !connection->closing;
}

void on_connection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  auto* server = static_cast<Server*>(listener->data);
  auto connection = std::make_unique<Connection>();
  connection->server = server;
  uv_tcp_init(&server->loop, &connection->tcp);
  connection->tcp.data = connection.get();
  Connection* accepted = connection.release();  // from here on its close callback frees it
  if (uv_accept(listener, reinterpret_cast<uv_stream_t*>(&accepted->tcp)) < 0) {
    return close_connection(accepted);
  }
  llhttp_init(&accepted->parser, HTTP_REQUEST, &server->callbacks);
  accepted->parser.data = accepted;
  if (server->settings.eager_read && !read_eagerly(accepted)) return;
  uv_read_start(reinterpret_cast<uv_stream_t*>(&accepted->tcp), allocate, on_read);
}

void set_callbacks(llhttp_settings_t& callbacks) {
  llhttp_settings_init(&callbacks);
  callbacks.on_message_begin = on_begin;
  callbacks.on_url = on_url;
  callbacks.on_header_field = on_field;
  callbacks.on_header_value = on_value;
  callbacks.on_header_value_complete = on_value_complete;
  callbacks.on_message_complete = on_message_complete;
}

bool listen_on(Server& server) {
  uv_loop_init(&server.loop);
  uv_tcp_init_ex(&server.loop, &server.listener, AF_INET);
  server.listener.data = &server;
  sockaddr_in address{};
  uv_ip4_addr("127.0.0.1", server.settings.port, &address);
  if (uv_tcp_bind(&server.listener, reinterpret_cast<const sockaddr*>(&address), 0) < 0)
    return false;
  uv_tcp_nodelay(&server.listener, 1);  // accepted connections inherit it
  if (server.settings.defer_accept) {
    uv_os_fd_t descriptor = -1;
    uv_fileno(reinterpret_cast<uv_handle_t*>(&server.listener), &descriptor);
    const int seconds = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds));
  }
  auto* stream = reinterpret_cast<uv_stream_t*>(&server.listener);
  return uv_listen(stream, kBacklog, on_connection) == 0;
}

bool read_settings(int count, char** arguments, Settings& settings) {
  std::string file;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    const std::string_view value = i + 1 < count ? arguments[i + 1] : "";
    if (name == "--port") {
      std::from_chars(value.data(), value.data() + value.size(), settings.port);
      ++i;
    } else if (name == "--response") {
      file = value;
      ++i;
    } else if (name == "--defer-accept") {
      settings.defer_accept = true;
    } else if (name == "--eager-read") {
      settings.eager_read = true;
    } else {
      return false;
    }
  }
  std::ifstream input(file, std::ios::binary);
  std::ostringstream content;
  content << input.rdbuf();
  settings.response = content.str();
  return settings.port != 0 && !settings.response.empty();
}

}  // namespace

int main(int count, char** arguments) {
  Settings settings;
  if (!read_settings(count, arguments, settings)) {
    std::fputs("usage: revcache-ceiling --port N --response FILE [--defer-accept] [--eager-read]\n",
               stderr);
    return 4;
  }
  auto server = std::make_unique<Server>(std::move(settings));
  set_callbacks(server->callbacks);
  if (!listen_on(*server)) {
    std::fputs("revcache-ceiling: cannot listen\n", stderr);
    return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  return uv_run(&server->loop, UV_RUN_DEFAULT);
}
