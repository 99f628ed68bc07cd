#include "net/dns_channel.h"

#include <ares.h>
#include <ares_nameser.h>
#include <netinet/in.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "net/pending_operations.h"
#include "net/uv_handle.h"
#include "net/uv_timers.h"

namespace revcache::net {

namespace {

std::string describe(int status) { return std::string("DNS: ") + ares_strerror(status); }

template <std::size_t kSize, class KernelBytes>
std::array<std::uint8_t, kSize> octets_of(const KernelBytes& kernel) {
  static_assert(sizeof kernel == kSize);
  std::array<std::uint8_t, kSize> octets{};
  std::memcpy(octets.data(), &kernel, kSize);
  return octets;
}

void add(DnsAnswer& answer, const IpAddress& address, int ttl_s) {
  // RFC 2181 8: a TTL with the highest bit set counts as zero.
  const std::chrono::seconds ttl(std::max(ttl_s, 0));
  answer.ttl = answer.addresses.empty() ? ttl : std::min(answer.ttl, ttl);
  answer.addresses.push_back(address);
}

int parse_a(const unsigned char* reply, int length, DnsAnswer& answer) {
  std::array<ares_addrttl, DnsChannel::kAddressesMax> records{};
  int count = DnsChannel::kAddressesMax;
  const int status = ares_parse_a_reply(reply, length, nullptr, records.data(), &count);
  for (int i = 0; status == ARES_SUCCESS && i < count; ++i) {
    const auto& record = records[static_cast<std::size_t>(i)];
    add(answer, IpAddress::v4(octets_of<4>(record.ipaddr)), record.ttl);
  }
  return status;
}

int parse_aaaa(const unsigned char* reply, int length, DnsAnswer& answer) {
  std::array<ares_addr6ttl, DnsChannel::kAddressesMax> records{};
  int count = DnsChannel::kAddressesMax;
  const int status = ares_parse_aaaa_reply(reply, length, nullptr, records.data(), &count);
  for (int i = 0; status == ARES_SUCCESS && i < count; ++i) {
    const auto& record = records[static_cast<std::size_t>(i)];
    add(answer, IpAddress::v6(octets_of<16>(record.ip6addr)), record.ttl);
  }
  return status;
}

DnsAnswer::Kind kind_of(int status) {
  switch (status) {
    case ARES_SUCCESS:
      return DnsAnswer::Kind::found;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:
      return DnsAnswer::Kind::absent;
    case ARES_ETIMEOUT:
      return DnsAnswer::Kind::timed_out;
    default:
      return DnsAnswer::Kind::failed;
  }
}

DnsAnswer read_answer(DnsRecord record, int status, const unsigned char* reply, int length) {
  DnsAnswer answer;
  if (status == ARES_SUCCESS) {
    status =
        record == DnsRecord::a ? parse_a(reply, length, answer) : parse_aaaa(reply, length, answer);
  }
  if (status == ARES_SUCCESS && answer.addresses.empty()) status = ARES_ENODATA;
  answer.kind = kind_of(status);
  if (status != ARES_SUCCESS) {
    answer.addresses.clear();
    answer.detail = describe(status);
  }
  return answer;
}

}  // namespace

class DnsChannel::State {
 public:
  explicit State(EventLoop& loop) : loop_(loop), timers_(loop) {}

  ~State() {
    // Calls back for each question with ARES_EDESTRUCTION, and closes the sockets.
    if (channel_ != nullptr) ares_destroy(channel_);
  }

  Result<void> open(const Options& options) {
    // Process-wide, and without effect but on Windows; still its manual asks for it.
    static const int library = ares_library_init(ARES_LIB_INIT_ALL);
    CHECK(library == ARES_SUCCESS);
    ares_options settings{};
    settings.timeout = static_cast<int>(options.try_timeout.count());
    settings.tries = options.tries;
    settings.sock_state_cb = on_socket_state;
    settings.sock_state_cb_data = this;
    const int wanted = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    int status = ares_init_options(&channel_, &settings, wanted);
    if (status == ARES_SUCCESS && !options.servers.empty()) {
      status = ares_set_servers_ports_csv(channel_, options.servers.c_str());
    }
    if (status == ARES_SUCCESS) return {};
    return fail(ErrorCode::malformed, Blame::local,
                "name servers " + options.servers + ": " + describe(status));
  }

  void query(const std::string& host, DnsRecord record, Callback<DnsAnswer> done) {
    auto question = std::make_unique<Question>(this, record, std::move(done));
    const int type = record == DnsRecord::a ? ns_t_a : ns_t_aaaa;
    ares_query(channel_, host.c_str(), ns_c_in, type, on_answer, question.release());
    arm_timer();
  }

 private:
  struct Question {
    Question(State* its_state, DnsRecord its_record, Callback<DnsAnswer> its_done)
        : state(its_state), record(its_record), done(std::move(its_done)) {}
    State* state;
    DnsRecord record;
    Callback<DnsAnswer> done;
  };

  static void on_answer(void* argument, int status, int /*timeouts*/, unsigned char* reply,
                        int length) noexcept {
    const std::unique_ptr<Question> question(static_cast<Question*>(argument));
    if (status == ARES_EDESTRUCTION) return;
    // Later: c-ares must not be ended inside its own call, which `done` might do.
    State& state = *question->state;
    state.answers_.answer_later(state.loop_, std::move(question->done),
                                read_answer(question->record, status, reply, length));
  }

  static void on_socket_state(void* argument, ares_socket_t socket, int readable,
                              int writable) noexcept {
    auto& self = *static_cast<State*>(argument);
    if (readable == 0 && writable == 0) {
      self.sockets_.erase(socket);
      return;
    }
    auto& handle = self.sockets_[socket];
    if (!handle) {
      auto created = std::make_unique<uv_poll_t>();
      CHECK(uv_poll_init_socket(self.loop_.uv_loop(), created.get(), socket) == 0);
      handle.reset(created.release());
      handle->data = &self;
    }
    const int events = (readable != 0 ? UV_READABLE : 0) | (writable != 0 ? UV_WRITABLE : 0);
    CHECK(uv_poll_start(handle.get(), events, on_uv_poll) == 0);
  }

  static void on_uv_poll(uv_poll_t* handle, int status, int events) noexcept {
    auto* self = static_cast<State*>(handle->data);
    if (self == nullptr) return;
    self->loop_.on_wakeup();
    uv_os_fd_t fd = -1;
    uv_fileno(as_handle(handle), &fd);
    // An error of the socket shows when c-ares uses it.
    const bool broken = status < 0;
    ares_process_fd(self->channel_, broken || (events & UV_READABLE) != 0 ? fd : ARES_SOCKET_BAD,
                    broken || (events & UV_WRITABLE) != 0 ? fd : ARES_SOCKET_BAD);
    self->arm_timer();
  }

  // c-ares tells when it next wants to look at its own deadlines.
  void arm_timer() {
    timeval time{};
    if (ares_timeout(channel_, nullptr, &time) == nullptr) return timer_.reset();
    const auto delay = std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
    timer_ = timers_.after(std::chrono::ceil<std::chrono::milliseconds>(delay), [this] {
      ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      arm_timer();
    });
  }

  EventLoop& loop_;
  UvTimers timers_;
  PendingOperations answers_;
  std::unordered_map<ares_socket_t, UvHandle<uv_poll_t>> sockets_;
  std::unique_ptr<Timer> timer_;
  ares_channel channel_ = nullptr;
};

DnsChannel::DnsChannel(std::unique_ptr<State> state) : state_(std::move(state)) {}

DnsChannel::~DnsChannel() = default;

Result<std::unique_ptr<DnsChannel>> DnsChannel::open(EventLoop& loop, const Options& options) {
  auto state = std::make_unique<State>(loop);
  if (auto opened = state->open(options); !opened) return fail(std::move(opened));
  return std::unique_ptr<DnsChannel>(new DnsChannel(std::move(state)));
}

void DnsChannel::query(const std::string& host, DnsRecord record, Callback<DnsAnswer> done) {
  state_->query(host, record, std::move(done));
}

}  // namespace revcache::net
