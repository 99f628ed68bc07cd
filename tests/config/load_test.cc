#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "temporary_directory.h"

namespace revcache::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

const Environment kUser{.is_root = false, .home = "/home/u", .xdg_state_home = ""};

std::vector<std::string> errors_of(const LoadResult& result) {
  std::vector<std::string> lines;
  if (!result) {
    for (const ConfigError& error : result.error()) lines.push_back(error.to_string());
  }
  return lines;
}

LoadResult load_toml(std::string_view text) { return load_text(text, "c.toml", kUser); }

TEST(Load, AnEmptyFileGivesTheDefaults) {
  const auto config = load_toml("");
  ASSERT_TRUE(config);
  ASSERT_THAT(config->listen.proxy, SizeIs(1));
  EXPECT_EQ(config->listen.proxy[0].to_string(), "127.0.0.1:3128");
  EXPECT_EQ(config->listen.admin.to_string(), "127.0.0.1:9853");
  EXPECT_EQ(config->cache.directory, "/home/u/.local/state/revcache/cache");
  EXPECT_EQ(config->state.directory, "/home/u/.local/state/revcache/state");
  EXPECT_GT(config->access.destinations.size(), 50U);
  EXPECT_EQ(config->upstream.timeout, 9s);
  EXPECT_EQ(config->access.other_destinations, OtherDestinations::deny);
}

TEST(Load, DataGoesWhereTheEnvironmentSays) {
  EXPECT_EQ(data_directory({.is_root = true, .home = "/root", .xdg_state_home = "/x"}),
            "/var/lib/revcache");
  EXPECT_EQ(data_directory({.is_root = false, .home = "/home/u", .xdg_state_home = "/x"}),
            "/x/revcache");
  EXPECT_EQ(data_directory({.is_root = false, .home = "/home/u", .xdg_state_home = "relative"}),
            "/home/u/.local/state/revcache");
  EXPECT_EQ(data_directory({.is_root = false, .home = "", .xdg_state_home = ""}),
            "/var/lib/revcache");
}

TEST(Load, ReadsEveryTypeOfValue) {
  const auto config = load_toml(R"(
    [listen]
    proxy = ["0.0.0.0:3128", "[::]:3128"]
    names = ["RevCache.corp.example"]
    workers = 4
    [access]
    clients = ["10.0.0.0/8", "::1"]
    destinations = ["*.pki.azure.net", "crl.example.com:8080"]
    other_destinations = "pass"
    connect = ["vpn.example.com:443"]
    [cache]
    memory = "64MiB"
    disk = 0
    object_max = "16MiB"
    [upstream]
    timeout = "8s"
    attempt_timeout = "2500ms"
    [[mirror]]
    hosts = ["a.example.com", "b.example.com:8080"]
    [refresh]
    interval = "5m"
    urls = ["http://CRL.example.com:80/a.crl"]
    [ocsp]
    nonce_budget = "600/m"
    [log]
    level = "warning"
    access = "all"
    [limits]
    connections_per_client = 7
    header_bytes = "16KiB"
    idle_timeout = "1m"
    collapse_waiters = 9
  )");
  ASSERT_TRUE(config) << testing::PrintToString(errors_of(config));
  EXPECT_THAT(config->listen.proxy, SizeIs(2));
  EXPECT_THAT(config->listen.names, ElementsAre("revcache.corp.example"));
  EXPECT_EQ(config->listen.workers, 4U);
  EXPECT_TRUE(config->access.clients[0].contains(*IpAddress::parse("10.1.2.3")));
  EXPECT_TRUE(config->access.destinations[0].subdomains);
  EXPECT_EQ(config->access.other_destinations, OtherDestinations::pass);
  EXPECT_EQ(config->cache.memory_bytes, 64U << 20U);
  EXPECT_EQ(config->cache.disk_bytes, 0U);
  EXPECT_EQ(config->upstream.attempt_timeout, 2500ms);
  EXPECT_THAT(config->mirrors, SizeIs(1));
  EXPECT_EQ(config->refresh.interval, 5min);
  EXPECT_EQ(config->refresh.urls[0].text(), "http://crl.example.com/a.crl");
  EXPECT_DOUBLE_EQ(config->ocsp.nonce_budget.per_second, 10);
  EXPECT_EQ(config->log.level, LogThreshold::warning);
  EXPECT_EQ(config->log.access, AccessLog::all);
  EXPECT_EQ(config->limits.connections_per_client, 7U);
  EXPECT_EQ(config->limits.parser.header_bytes_max, 16384U);
  EXPECT_EQ(config->limits.idle_timeout, 60s);
  EXPECT_EQ(config->cache.collapse_waiters_max, 9U);
}

TEST(Load, UrlsAndMirrorsNamedAnywhereAreAllowedForTheirPort) {
  const auto config = load_toml(R"(
    [[mirror]]
    hosts = ["a.example.com", "b.example.com:8080"]
    [refresh]
    urls = ["http://crl.example.com:8000/a.crl", "https://crl.example.com/a.crl"]
  )");
  ASSERT_TRUE(config);
  EXPECT_THAT(config->access.named_destinations,
              ElementsAre(HostAndPort{"a.example.com", 80}, HostAndPort{"a.example.com", 443},
                          HostAndPort{"b.example.com", 8080}, HostAndPort{"crl.example.com", 443},
                          HostAndPort{"crl.example.com", 8000}));
}

TEST(Load, SaysWhereAndWhatAndListsAllOfIt) {
  const auto config = load_toml(
      "[listen]\n"
      "workers = \"two\"\n"
      "prox = [\"127.0.0.1:1\"]\n"
      "[upstream]\n"
      "timeout = 9\n"
      "[cahce]\n"
      "memory = \"1GiB\"\n");
  EXPECT_THAT(errors_of(config),
              ElementsAre("c.toml:2:11: listen.workers: expected a whole number, found a string",
                          "c.toml:3:1: unknown key \"prox\" in listen; did you mean \"proxy\"?",
                          "c.toml:5:11: upstream.timeout: expected a duration with a unit, as "
                          "\"9s\", found a whole number",
                          AllOf(StartsWith("c.toml:6:"),
                                HasSubstr("unknown table [cahce]; did you mean \"cache\"?"))));
}

TEST(Load, TellsWhereAMisplacedKeyBelongs) {
  EXPECT_THAT(errors_of(load_toml("[listen]\nmemory = \"1GiB\"\n")),
              ElementsAre("c.toml:2:1: unknown key \"memory\" in listen; it belongs into [cache]"));
  EXPECT_THAT(errors_of(load_toml("workers = 2\n")),
              ElementsAre("c.toml:1:1: unknown key \"workers\" outside of any table; it belongs "
                          "into [listen]"));
}

TEST(Load, DoesNotGuessWhenNothingIsClose) {
  EXPECT_THAT(errors_of(load_toml("[listen]\nfrobnicate = 1\n")),
              ElementsAre("c.toml:2:1: unknown key \"frobnicate\" in listen"));
}

TEST(Load, PointsAtTheItemOfAList) {
  EXPECT_THAT(errors_of(load_toml("[access]\nclients = [\"10.0.0.0/8\",\n  \"10.0.0.1/8\"]\n")),
              ElementsAre(StartsWith("c.toml:3:3: access.clients: \"10.0.0.1/8\" is not")));
}

TEST(Load, ReportsATomlErrorWithItsPlace) {
  EXPECT_THAT(errors_of(load_toml("[listen]\nworkers = = 2\n")),
              ElementsAre(StartsWith("c.toml:2:")));
  EXPECT_THAT(errors_of(load_toml("[listen]\nworkers = 1\nworkers = 2\n")),
              ElementsAre(StartsWith("c.toml:3:")));
}

TEST(Load, MistakesOfShapeAreNamedAsSuch) {
  EXPECT_THAT(errors_of(load_toml("[mirror]\nhosts = []\n")), ElementsAre(HasSubstr("[[mirror]]")));
  EXPECT_THAT(errors_of(load_toml("listen = 3\n")), ElementsAre(HasSubstr("table [listen]")));
  EXPECT_THAT(errors_of(load_toml("signer = [3]\n")), ElementsAre(HasSubstr("[[signer]]")));
  EXPECT_THAT(errors_of(load_toml("[[listen]]\nworkers = 3\n")),
              ElementsAre(HasSubstr("table [listen]")));
}

TEST(Load, SuggestsTheNearestOfFixedValues) {
  EXPECT_THAT(errors_of(load_toml("[log]\naccess = \"mises\"\n")),
              ElementsAre("c.toml:2:10: log.access: \"mises\" is not one of off, misses, all; did "
                          "you mean \"misses\"?"));
}

TEST(Load, BoundsNumbersSizesAndDurations) {
  EXPECT_THAT(errors_of(load_toml("[limits]\nconnections = 0\n")),
              ElementsAre(HasSubstr("0 is not between 1 and 1000000")));
  EXPECT_THAT(errors_of(load_toml("[listen]\nworkers = -1\n")), SizeIs(1));
  EXPECT_THAT(errors_of(load_toml("[cache]\nmemory = -5\n")), SizeIs(1));
  EXPECT_THAT(errors_of(load_toml("[cache]\nmemory = \"1KiB\"\n")),
              ElementsAre(HasSubstr("is not between 1MiB and 1TiB")));
  EXPECT_THAT(errors_of(load_toml("[refresh]\ninterval = \"1s\"\n")),
              ElementsAre(HasSubstr("is not between 10s and 7d")));
  EXPECT_THAT(errors_of(load_toml("[refresh]\ninterval = \"10s5ms\"\n")),
              ElementsAre(HasSubstr("whole seconds")));
}

TEST(Load, RefusesFilesMadeToExhaustIt) {
  EXPECT_THAT(errors_of(load_toml(std::string(kFileBytesMax + 1, '#'))), SizeIs(1));
  std::string dotted = "a";
  for (int at = 0; at < 5000; ++at) dotted += ".a";
  EXPECT_THAT(errors_of(load_toml(dotted + " = 1\n")), ElementsAre(HasSubstr("too deep")));
  EXPECT_THAT(errors_of(load_toml("x = \"" + std::string(20000, 'y') + "\"\n")),
              ElementsAre(HasSubstr("longer than 16 KiB")));
  EXPECT_THAT(errors_of(load_toml("x = " + std::string(2000, '['))), SizeIs(1));
}

// The last two stand where toml++ 3.3, built with assertions, would abort.
TEST(Load, RefusesControlCharactersAndHeadersThatBeginWithNoKey) {
  for (const std::string_view text :
       {std::string_view("# \x7f\n"), std::string_view("# \0\n", 4),
        std::string_view("[\0\0o]\n", 6), std::string_view("[{a = 1")}) {
    EXPECT_THAT(errors_of(load_toml(text)), ElementsAre(StartsWith("c.toml:1:"))) << text;
  }
  EXPECT_TRUE(load_toml("[log]\r\n\tlevel = \"info\" # tab and CRLF\r\n"));
}

TEST(Load, RefusesBytesThatAreNotUtf8) {
  EXPECT_THAT(errors_of(load_toml("[log]\nfile = \"\xff\xfe\"\n")), SizeIs(1));
}

TEST(Load, RelativePathsAreRelativeToTheFile) {
  const TemporaryDirectory directory;
  directory.write("token", "secret-token\n");
  const std::string file = directory.write(
      "revcache.toml", "[admin]\ntoken_file = \"token\"\n[cache]\ndirectory = \"data/../cache\"\n");
  const auto config = load_file(file);
  ASSERT_TRUE(config) << testing::PrintToString(errors_of(config));
  EXPECT_EQ(config->admin.token_file, directory.path() + "/token");
  EXPECT_EQ(config->cache.directory, directory.path() + "/cache");
  EXPECT_EQ(config->source, file);
}

TEST(Load, SaysWhyAFileCannotBeRead) {
  const TemporaryDirectory directory;
  EXPECT_THAT(errors_of(load_file(directory.path() + "/absent.toml")),
              ElementsAre(directory.path() + "/absent.toml: does not exist"));
  EXPECT_THAT(errors_of(load_file(directory.path())),
              ElementsAre(directory.path() + ": is no regular file"));
}

TEST(Load, ReadsTheParentProxysPasswordFromItsFile) {
  const TemporaryDirectory directory;
  directory.write("password", "hunter2\r\n");
  const std::string file = directory.write("revcache.toml",
                                           "[upstream]\n"
                                           "parent_proxy = \"http://user@proxy.corp:8080\"\n"
                                           "parent_proxy_password_file = \"password\"\n");
  const auto config = load_file(file);
  ASSERT_TRUE(config) << testing::PrintToString(errors_of(config));
  ASSERT_TRUE(config->upstream.parent_proxy);
  EXPECT_EQ(config->upstream.parent_proxy->password, "hunter2");
}

TEST(Load, OverridesAreStrongerThanTheFile) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("revcache.toml", "[listen]\nworkers = 3\n");
  Value two;
  two.data = std::int64_t{2};
  const auto config = load({.file = file, .overrides = {{"--workers", "listen.workers", two}}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->listen.workers, 2U);
}

TEST(Load, BlamesTheOptionForAnOverrideThatIsWrong) {
  Value bad;
  bad.data = std::string("nonsense");
  EXPECT_THAT(
      errors_of(load(
          {.file = "", .overrides = {{"--admin", "listen.admin", bad}}, .environment = kUser})),
      ElementsAre(StartsWith("command line: --admin: \"nonsense\" is not an address")));
  Value open;
  open.data = std::string("0.0.0.0:9853");
  EXPECT_THAT(
      errors_of(load(
          {.file = "", .overrides = {{"--admin", "listen.admin", open}}, .environment = kUser})),
      ElementsAre(AllOf(StartsWith("command line: --admin: "), HasSubstr("token_file"))));
}

}  // namespace
}  // namespace revcache::config
