#include "admin/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/compression.h"
#include "tests/admin/scripted_operations.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_scheduler.h"

namespace revcache::admin {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Keeps what the server sends.
class Client final : public net::StreamReader {
 public:
  explicit Client(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)) {
    stream_->start_reading(*this);
  }
  void send(std::string_view bytes) {
    stream_->write({SharedBytes::copy_of(bytes)}, [](const Result<void>&) {});
  }
  void finish_sending() { stream_->shutdown_write(); }
  void vanish() { stream_.reset(); }

  void on_read(std::string_view chunk) override { received_ += chunk; }
  void on_read_end() override { closed_ = true; }
  void on_read_error(Error) override { closed_ = true; }

  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  std::unique_ptr<net::Stream> stream_;
  std::string received_;
  bool closed_ = false;
};

class Admin : public testing::Test {
 protected:
  Admin() {
    options_.rules.names = {"revcache.corp.example"};
    network_.listen(address_, [this](std::unique_ptr<net::Stream> stream) {
      server().accept(std::move(stream));
    });
  }

  // Made at the first connection: tests change options_ before.
  AdminServer& server() {
    if (!server_) {
      server_ =
          std::make_unique<AdminServer>(AdminEnvironment{timers_, work_, scheduler_}, options_,
                                        AdminSources{.metrics_text = [this] { return metrics_; },
                                                     .not_ready = [this] { return missing_; },
                                                     .operations = operations_});
    }
    return *server_;
  }

  std::unique_ptr<Client> connect() {
    std::unique_ptr<Client> client;
    network_.connect(address_, 1s, [&client](Result<std::unique_ptr<net::Stream>> stream) {
      client = std::make_unique<Client>(std::move(stream.value()));
    });
    scheduler_.run_for(10ms);
    return client;
  }

  // What one connection gets for these bytes within a moment.
  std::string ask(std::string_view bytes) {
    const auto client = connect();
    client->send(bytes);
    scheduler_.run_for(100ms);
    return client->received();
  }

  std::string get(std::string_view path, std::string_view fields = "Host: 127.0.0.1:9853\r\n") {
    return ask("GET " + std::string(path) + " HTTP/1.1\r\n" + std::string(fields) + "\r\n");
  }

  const SocketAddress address_ = SocketAddress::parse("127.0.0.1:9853").value();
  sim::SimScheduler scheduler_;
  sim::SimTimers timers_{scheduler_};
  sim::SimBackgroundWork work_{scheduler_};
  sim::SimNetwork network_{scheduler_};
  AdminOptions options_;
  std::string metrics_ = "revcache_build_info 1\n";
  std::vector<std::string> missing_;
  std::shared_ptr<ScriptedOperations> operations_ = std::make_shared<ScriptedOperations>();
  std::unique_ptr<AdminServer> server_;
};

TEST_F(Admin, GivesMetricsInTheTextFormat) {
  const std::string answer = get("/metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 22\r\n"));
  EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nrevcache_build_info 1\n"));
}

TEST_F(Admin, MakesMetricsOffTheLoop) {
  const auto client = connect();
  work_.profile(net::WorkKind::serialise) = {.delay_min = 1s, .delay_max = 1s};
  client->send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  scheduler_.run_for(500ms);
  EXPECT_EQ(work_.in_flight(net::WorkKind::serialise), 1U);
  EXPECT_EQ(client->received(), "");
  scheduler_.run_for(1s);
  EXPECT_THAT(client->received(), HasSubstr("revcache_build_info 1\n"));
}

TEST_F(Admin, SaysThatItIsOverloadedInsteadOfQueueingScrapes) {
  work_.profile(net::WorkKind::serialise).queue_max = 0;
  const std::string answer = get("/metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
}

// What follows the head.
std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

TEST_F(Admin, CompressesForWhoAsksForIt) {
  metrics_ = std::string(5000, 'x');
  const std::string plain = get("/metrics");
  EXPECT_THAT(plain, AllOf(HasSubstr("Vary: Accept-Encoding\r\n"),
                           Not(HasSubstr("Content-Encoding")), EndsWith(metrics_)));
  const std::string packed =
      get("/metrics", "Host: localhost\r\nAccept-Encoding: gzip, deflate\r\n");
  EXPECT_THAT(packed,
              AllOf(HasSubstr("Vary: Accept-Encoding\r\n"), HasSubstr("Content-Encoding: gzip\r\n"),
                    HasSubstr("Content-Length: " + std::to_string(body_of(packed).size()))));
  EXPECT_EQ(body_of(packed), gzip(metrics_));
  metrics_ = "short";
  EXPECT_THAT(get("/metrics", "Host: localhost\r\nAccept-Encoding: gzip\r\n"),
              EndsWith("\r\n\r\nshort"));
  EXPECT_EQ(body_of(get("/metrics", "Host: localhost\r\nAccept-Encoding: gzip, *;q=0\r\n")),
            gzip("short"));
}

TEST_F(Admin, CompressesOffTheLoopOrNotAtAll) {
  metrics_ = std::string(5000, 'x');
  const auto client = connect();
  client->send("GET /api/v1 HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n");
  work_.profile(net::WorkKind::serialise) = {.delay_min = 1s, .delay_max = 1s};
  scheduler_.run_for(500ms);
  EXPECT_EQ(work_.in_flight(net::WorkKind::serialise), 1U);
  EXPECT_EQ(client->received(), "");
  scheduler_.run_for(1s);
  EXPECT_THAT(client->received(), HasSubstr("Content-Encoding: gzip\r\n"));
  work_.profile(net::WorkKind::serialise).queue_max = 0;
  EXPECT_THAT(get("/api/v1", "Host: localhost\r\nAccept-Encoding: gzip\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("/api/v1/status")));
}

TEST_F(Admin, RefusesWhoTakesNoCodingThatItHas) {
  const auto asking_for = [this](std::string_view codings) {
    return get("/livez", "Host: localhost\r\nAccept-Encoding: " + std::string(codings) + "\r\n");
  };
  EXPECT_THAT(asking_for("br, identity;q=0"), StartsWith("HTTP/1.1 406 "));
  EXPECT_THAT(asking_for("*;q=0"), StartsWith("HTTP/1.1 406 "));
  EXPECT_THAT(asking_for("br"), EndsWith("alive\n"));
}

TEST_F(Admin, GivesAPageInAnotherCodingUnderAWeakTag) {
  const std::string plain = get("/");
  const std::string packed = get("/", "Host: localhost\r\nAccept-Encoding: gzip\r\n");
  EXPECT_THAT(plain, HasSubstr("\r\nETag: \""));
  EXPECT_THAT(packed, HasSubstr("\r\nETag: W/\""));
  const auto from = packed.find("ETag: ") + 6;
  const std::string tag = packed.substr(from, packed.find("\r\n", from) - from);
  EXPECT_THAT(
      get("/", "Host: localhost\r\nAccept-Encoding: gzip\r\nIf-None-Match: " + tag + "\r\n"),
      StartsWith("HTTP/1.1 304 "));
}

TEST_F(Admin, TellsTheHealthOfAnAuthority) {
  operations_->report.authorities.push_back({.name = "contoso"});
  judge(operations_->report);
  EXPECT_THAT(get("/health/ca/contoso"),
              AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\nok\n")));
  EXPECT_THAT(get("/health/ca/nobody"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/health/ca/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask("POST /health/ca/contoso HTTP/1.1\r\nHost: localhost\r\n\r\n"),
              StartsWith("HTTP/1.1 405 "));
  operations_->problem = Problem{ProblemKind::unavailable, "not now"};
  EXPECT_THAT(get("/health/ca/contoso"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(Admin, IsReadyWhenNothingIsMissing) {
  EXPECT_THAT(get("/readyz"), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\nready\n")));
  missing_ = {"authority contoso has no usable CRL", "draining"};
  EXPECT_THAT(get("/readyz"), AllOf(StartsWith("HTTP/1.1 503 "),
                                    EndsWith("not ready: authority contoso has no usable CRL\n"
                                             "not ready: draining\n")));
  EXPECT_THAT(get("/livez"), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("alive\n")));
}

TEST_F(Admin, ListsItsPages) {
  for (const char* page : {"/metrics", "/livez", "/readyz", "/api/v1/revoke"}) {
    EXPECT_THAT(get("/api/v1"), HasSubstr(page));
  }
  EXPECT_THAT(get("/api/v1?x=1"), StartsWith("HTTP/1.1 200 "));
}

struct Request {
  std::string_view name;
  std::string_view bytes;
  std::string_view status;
};

class AdminRequest : public Admin, public testing::WithParamInterface<Request> {};

TEST_P(AdminRequest, GetsItsStatus) {
  EXPECT_THAT(ask(GetParam().bytes), StartsWith("HTTP/1.1 " + std::string(GetParam().status)));
}

constexpr Request kRequests[] = {
    {"UnknownPage", "GET /metrics/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "404 "},
    {"Post", "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", "405 "},
    {"Delete", "DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n", "405 "},
    {"Connect", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", "405 "},
    {"Body", "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", "413 "},
    {"ChunkedBody",
     "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "413 "},
    {"NoHost", "GET / HTTP/1.1\r\n\r\n", "400 "},
    {"TwoHosts", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", "400 "},
    {"Garbage", "\x16\x03\x01\x02\x00\x01", "400 "},
    {"ForeignHost", "GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421 "},
    {"ForeignHostWithPort", "GET / HTTP/1.1\r\nHost: evil.example:9853\r\n\r\n", "421 "},
    {"LocalhostOfAnother", "GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", "421 "},
    {"OwnName", "GET / HTTP/1.1\r\nHost: RevCache.corp.example:9853\r\n\r\n", "200 "},
    {"Ipv6Literal", "GET / HTTP/1.1\r\nHost: [::1]:9853\r\n\r\n", "200 "},
    {"AbsoluteFormOfOurs", "GET http://localhost:9853/livez HTTP/1.1\r\nHost: x\r\n\r\n", "200 "},
    {"AbsoluteFormOfOthers", "GET http://crl.example.com/a.crl HTTP/1.1\r\nHost: localhost\r\n\r\n",
     "421 "},
    {"OldClientWithoutHost", "GET /livez HTTP/1.0\r\n\r\n", "200 "},
    {"AsteriskForm", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", "400 "},
    {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 "},
};

INSTANTIATE_TEST_SUITE_P(Table, AdminRequest, testing::ValuesIn(kRequests),
                         [](const testing::TestParamInfo<Request>& one) {
                           return std::string(one.param.name);
                         });

TEST_F(Admin, BoundsTargetsAndHeaders) {
  EXPECT_THAT(get("/" + std::string(3000, 'a')), StartsWith("HTTP/1.1 414 "));
  EXPECT_THAT(get("/", "Host: localhost\r\nX: " + std::string(20000, 'a') + "\r\n"),
              StartsWith("HTTP/1.1 431 "));
}

TEST_F(Admin, AnswersHeadWithoutABody) {
  const std::string answer = ask("HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(answer, AllOf(HasSubstr("Content-Length: 6\r\n"), EndsWith("\r\n\r\n")));
}

TEST_F(Admin, NamesTheMethodsOfAPageThatDoesNotTakeAnother) {
  EXPECT_THAT(ask("PUT / HTTP/1.1\r\nHost: localhost\r\n\r\n"), HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST_F(Admin, KeepsTheConnectionAndTheOrderOfPipelinedRequests) {
  const auto client = connect();
  client->send(
      "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  scheduler_.run_for(1s);
  const std::string& all = client->received();
  EXPECT_LT(all.find("alive"), all.find("build_info"));
  EXPECT_LT(all.find("build_info"), all.find("ready\n"));
  EXPECT_NE(all.find("ready\n"), std::string::npos);
  EXPECT_FALSE(client->closed());
  EXPECT_EQ(server().connections(), 1U);
}

TEST_F(Admin, ClosesWhenAskedTo) {
  const auto client = connect();
  client->send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  scheduler_.run_for(1s);
  EXPECT_THAT(client->received(), HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(client->closed());
}

TEST_F(Admin, SpeaksToOldClientsAsTheyExpect) {
  EXPECT_THAT(ask("GET / HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
              HasSubstr("Connection: keep-alive\r\n"));
}

TEST_F(Admin, AnswersAClientThatHasFinishedSending) {
  const auto client = connect();
  client->send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client->finish_sending();
  scheduler_.run_for(1s);
  EXPECT_THAT(client->received(), HasSubstr("build_info"));
  EXPECT_TRUE(client->closed());
  EXPECT_EQ(server().connections(), 0U);
}

TEST_F(Admin, LetsAClientReadARefusalWhileItStillSends) {
  const auto client = connect();
  client->send("POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" +
               std::string(50000, 'x'));
  scheduler_.run_for(500ms);
  EXPECT_THAT(client->received(), StartsWith("HTTP/1.1 404 "));
  EXPECT_EQ(server().connections(), 1U);
  scheduler_.run_for(5s);
  EXPECT_EQ(server().connections(), 0U);
}

TEST_F(Admin, CutsOffSlowSendersAndIdleConnections) {
  const auto slow = connect();
  slow->send("GET / HTTP/1.1\r\n");
  for (int at = 0; at < 9; ++at) {
    scheduler_.run_for(1s);
    slow->send("X-Slow: 1\r\n");
  }
  EXPECT_FALSE(slow->closed());
  scheduler_.run_for(2s);
  EXPECT_TRUE(slow->closed());
  const auto idle = connect();
  scheduler_.run_for(74s);
  EXPECT_FALSE(idle->closed());
  scheduler_.run_for(2s);
  EXPECT_TRUE(idle->closed());
  EXPECT_EQ(server().connections(), 0U);
}

TEST_F(Admin, CutsOffAClientThatDoesNotRead) {
  network_.link(address_).to_client.stall_after_bytes = 0;
  metrics_.assign(1U << 20U, 'm');
  const auto client = connect();
  client->send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  scheduler_.run_for(29s);
  EXPECT_EQ(server().connections(), 1U);
  scheduler_.run_for(2s);
  EXPECT_EQ(server().connections(), 0U);
}

TEST_F(Admin, BoundsItsConnections) {
  options_.connections_max = 2;
  const auto first = connect();
  const auto second = connect();
  const auto third = connect();
  scheduler_.run_for(100ms);
  EXPECT_EQ(server().connections(), 2U);
  EXPECT_TRUE(third->closed());
  first->vanish();
  scheduler_.run_for(100ms);
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Admin, NeedsTheTokenForAllThatItKnowsOnceThereIsOne) {
  options_.rules.token = "s3cret";
  for (const char* path : {"/api/v1", "/metrics", "/livez", "/readyz", "/nothing"}) {
    EXPECT_THAT(get(path), StartsWith("HTTP/1.1 401 ")) << path;
  }
  EXPECT_THAT(get("/metrics"), HasSubstr("WWW-Authenticate: Bearer realm=\"revcache\"\r\n"));
  const auto with = [this](std::string_view value) {
    return get("/livez", "Host: localhost\r\nAuthorization: " + std::string(value) + "\r\n");
  };
  EXPECT_THAT(with("Bearer s3cret"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(with("bearer s3cret"), StartsWith("HTTP/1.1 200 "));
  for (const char* value : {"Bearer", "Bearer s3cre", "Bearer s3cret1", "Bearer S3cret", "s3cret",
                            "Basic s3cret", "Bearer \"s3cret\""}) {
    EXPECT_THAT(with(value), StartsWith("HTTP/1.1 401 ")) << value;
  }
}

TEST_F(Admin, TakesNewRulesForTheNextRequest) {
  const auto client = connect();
  client->send("GET /livez HTTP/1.1\r\nHost: new.example\r\n\r\n");
  scheduler_.run_for(100ms);
  EXPECT_THAT(client->received(), StartsWith("HTTP/1.1 421 "));
  server().apply({.names = {"new.example"}, .token = "", .change_token = ""});
  client->send("GET /livez HTTP/1.1\r\nHost: new.example\r\n\r\n");
  scheduler_.run_for(100ms);
  EXPECT_THAT(client->received(), HasSubstr("HTTP/1.1 200 "));
}

TEST_F(Admin, DrainsIdleConnectionsAtOnceAndOthersAfterTheirAnswer) {
  work_.profile(net::WorkKind::serialise) = {.delay_min = 1s, .delay_max = 1s};
  const auto idle = connect();
  const auto busy = connect();
  busy->send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  scheduler_.run_for(100ms);
  server().drain();
  EXPECT_EQ(server().connections(), 1U);
  scheduler_.run_for(2s);
  EXPECT_TRUE(idle->closed());
  EXPECT_THAT(busy->received(), AllOf(HasSubstr("Connection: close"), HasSubstr("build_info")));
  EXPECT_TRUE(busy->closed());
}

TEST_F(Admin, StillTellsThatItIsDraining) {
  server().drain();
  missing_ = {"draining"};
  const auto client = connect();
  client->send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  scheduler_.run_for(1s);
  EXPECT_THAT(client->received(), AllOf(StartsWith("HTTP/1.1 503 "), EndsWith(": draining\n")));
  EXPECT_TRUE(client->closed());
}

TEST_F(Admin, MayBeDestroyedWhileMetricsAreMade) {
  const auto client = connect();
  client->send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  work_.profile(net::WorkKind::serialise) = {.delay_min = 1s, .delay_max = 1s};
  scheduler_.run_for(100ms);
  server_.reset();
  network_.stop_listening(address_);
  scheduler_.run_until_idle();
  EXPECT_TRUE(client->closed());
  EXPECT_EQ(timers_.pending(), 0U);
}

TEST_F(Admin, LeavesNothingBehindHoweverBytesArrive) {
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}}) {
    network_.link(address_).to_server.chunk_bytes_max = chunk;
    EXPECT_THAT(get("/metrics"), EndsWith("revcache_build_info 1\n"));
  }
  scheduler_.run_for(200s);
  EXPECT_EQ(server().connections(), 0U);
  EXPECT_EQ(network_.open_streams(), 0U);
}

std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\r\n"
         "Content-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

class AdminApi : public Admin {
 protected:
  AdminApi() { options_.rules.change_token = "s3cret"; }
};

TEST_F(AdminApi, CarriesOutOneCallAfterAnotherHoweverTheirBytesArrive) {
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    operations_->asked.clear();
    network_.link(address_).to_server.chunk_bytes_max = chunk;
    const auto client = connect();
    client->send(post("/api/v1/floor/reset", R"({"authority": "one"})") +
                 "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" +
                 post("/api/v1/floor/reset", R"({"authority": "two"})"));
    scheduler_.run_for(5s);
    const std::string& all = client->received();
    EXPECT_LT(all.find(R"("authority":"one")"), all.find("alive")) << all;
    EXPECT_LT(all.find("alive"), all.find(R"("authority":"two")")) << all;
    EXPECT_THAT(all, EndsWith("\"floors_removed\":3}\n"));
    EXPECT_EQ(operations_->asked.size(), 2U);
    EXPECT_FALSE(client->closed());
  }
}

TEST_F(AdminApi, TakesAChunkedBodyUpToItsBound) {
  const auto chunked = [this](std::size_t padding) {
    const std::string body = R"({"authority": "ca")" + std::string(padding, ' ') + '}';
    std::array<char, 16> size{};
    static_cast<void>(std::snprintf(size.data(), size.size(), "%zx\r\n", body.size()));
    return ask(
        "POST /api/v1/floor/reset HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
        std::string(size.data()) + body + "\r\n0\r\n\r\n");
  };
  EXPECT_THAT(chunked(16384 - 19), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(operations_->asked.size(), 1U);
  EXPECT_THAT(chunked(16384 - 18), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(operations_->asked.size(), 1U);
}

TEST_F(AdminApi, ChangesNothingForABodyThatNeverEnds) {
  const auto client = connect();
  std::string bytes = post("/api/v1/floor/reset", R"({"authority": "ca"})");
  bytes.pop_back();
  client->send(bytes);
  scheduler_.run_for(9s);
  EXPECT_FALSE(client->closed());
  scheduler_.run_for(2s);
  EXPECT_TRUE(client->closed());
  EXPECT_TRUE(operations_->asked.empty());
}

TEST_F(AdminApi, RunsOffTheLoopAndIsCarriedOutForAClientThatIsGone) {
  work_.profile(net::WorkKind::disk) = {.delay_min = 1s, .delay_max = 1s};
  const auto client = connect();
  client->send(post("/api/v1/floor/reset", R"({"authority": "ca"})"));
  scheduler_.run_for(100ms);
  EXPECT_EQ(work_.in_flight(net::WorkKind::disk), 1U);
  client->vanish();
  scheduler_.run_for(2s);
  EXPECT_EQ(operations_->asked.size(), 1U);
  EXPECT_EQ(server().connections(), 0U);
}

TEST_F(AdminApi, SaysThatTheDiskQueueIsFull) {
  work_.profile(net::WorkKind::disk).queue_max = 0;
  EXPECT_THAT(ask(post("/api/v1/floor/reset", R"({"authority": "ca"})")),
              StartsWith("HTTP/1.1 503 "));
}

TEST_F(AdminApi, AnswersARefreshWhenItIsOver) {
  const auto client = connect();
  client->send(post("/api/v1/refresh", R"({"authority": "ca"})"));
  scheduler_.run_for(5s);
  EXPECT_EQ(client->received(), "");
  ASSERT_EQ(operations_->refreshes.size(), 1U);
  operations_->refreshes[0](std::vector<RefreshedUrl>{{.url = "http://a/",
                                                       .outcome = "unchanged",
                                                       .detail = "",
                                                       .this_update = {},
                                                       .next_update = {}}});
  scheduler_.run_for(1s);
  EXPECT_THAT(client->received(), HasSubstr(R"("outcome":"unchanged")"));
}

TEST_F(AdminApi, MayBeDestroyedWhileARefreshIsUnderWay) {
  const auto client = connect();
  client->send(post("/api/v1/refresh", "{}"));
  scheduler_.run_for(1s);
  ASSERT_EQ(operations_->refreshes.size(), 1U);
  server_.reset();
  operations_->refreshes[0](std::vector<RefreshedUrl>{});
  network_.stop_listening(address_);
  scheduler_.run_until_idle();
  EXPECT_TRUE(client->closed());
}

}  // namespace
}  // namespace revcache::admin
