#include "config/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "temporary_directory.h"

namespace revcache::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::expected<CommandLine, Exit> parse(const std::vector<const char*>& arguments) {
  std::vector<const char*> all{"revcache"};
  for (const char* argument : arguments) all.push_back(argument);
  return parse_command_line(static_cast<int>(all.size()), all.data());
}

Exit exit_of(const std::vector<const char*>& arguments) {
  auto parsed = parse(arguments);
  EXPECT_FALSE(parsed);
  return parsed ? Exit{-1, {}, {}} : parsed.error();
}

TEST(CommandLine, ServeNeedsNothing) {
  const auto line = parse({"serve"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->verb, Verb::serve);
  EXPECT_EQ(line->source.file, "");
  EXPECT_THAT(line->source.overrides, IsEmpty());
}

TEST(CommandLine, ServeTakesAFileInEverySpelling) {
  for (const auto& arguments : std::vector<std::vector<const char*>>{{"serve", "-c", "f"},
                                                                     {"serve", "-cf"},
                                                                     {"serve", "--config", "f"},
                                                                     {"serve", "--config=f"}}) {
    const auto line = parse(arguments);
    ASSERT_TRUE(line);
    EXPECT_EQ(line->source.file, "f");
  }
}

TEST(CommandLine, FlagsOverrideSettings) {
  const auto line = parse({"serve",         "--listen",     "127.0.0.1:1", "--listen",
                           "[::1]:2",       "--admin",      "127.0.0.1:3", "--data",
                           "/data",         "--workers",    "2",           "--destination",
                           "*.example.com", "--client",     "10.0.0.0/8",  "--allow-private",
                           "127.0.0.0/8",   "--log-format", "logfmt",      "--log-level",
                           "debug",         "--access-log", "all"});
  ASSERT_TRUE(line) << line.error().err;
  const auto config = load(line->source);
  ASSERT_TRUE(config) << config.error().front().to_string();
  EXPECT_THAT(config->listen.proxy, SizeIs(2));
  EXPECT_EQ(config->listen.proxy[1].to_string(), "[::1]:2");
  EXPECT_EQ(config->listen.admin.port, 3);
  EXPECT_EQ(config->cache.directory, "/data/cache");
  EXPECT_EQ(config->state.directory, "/data/state");
  EXPECT_EQ(config->listen.workers, 2U);
  ASSERT_THAT(config->access.destinations, SizeIs(1));
  EXPECT_EQ(config->access.destinations[0].text, "*.example.com");
  EXPECT_THAT(config->access.clients, SizeIs(1));
  EXPECT_THAT(config->access.allow_private_destinations, SizeIs(1));
  EXPECT_EQ(config->log.format, LogFormat::logfmt);
  EXPECT_EQ(config->log.level, LogThreshold::debug);
  EXPECT_EQ(config->log.access, AccessLog::all);
}

TEST(CommandLine, ConfigVerbsTakeTheFileAsTheirArgument) {
  EXPECT_EQ(parse({"config", "check", "f.toml"})->verb, Verb::config_check);
  EXPECT_EQ(parse({"config", "check", "f.toml"})->source.file, "f.toml");
  EXPECT_EQ(parse({"config", "show", "-c", "f.toml"})->verb, Verb::config_show);
  EXPECT_EQ(parse({"config", "show", "-c", "f.toml"})->source.file, "f.toml");
  EXPECT_EQ(parse({"config", "default"})->verb, Verb::config_default);
}

TEST(CommandLine, CheckTakesTheChainAndWhatIsAtHand) {
  const auto line =
      parse({"check",     "chain.pem",    "--trust",   "root.pem", "--crl",     "a.crl",
             "--crl",     "b.crl",        "--ocsp",    "c.ocsp",   "--at",      "1700000000",
             "--via",     "http://p:1",   "--profile", "pkix",     "--max-age", "60",
             "--offline", "--allow-sha1", "--json"});
  ASSERT_TRUE(line) << line.error().err;
  EXPECT_EQ(line->verb, Verb::check);
  const EvidenceArguments& evidence = line->evidence;
  EXPECT_EQ(evidence.input, "chain.pem");
  EXPECT_THAT(evidence.trust, ElementsAre("root.pem"));
  EXPECT_THAT(evidence.crls, ElementsAre("a.crl", "b.crl"));
  EXPECT_THAT(evidence.ocsp, ElementsAre("c.ocsp"));
  EXPECT_EQ(evidence.at, 1700000000);
  EXPECT_EQ(evidence.via, "http://p:1");
  EXPECT_EQ(evidence.profile, CheckProfile::pkix);
  EXPECT_EQ(evidence.age_max_s, 60);
  EXPECT_TRUE(evidence.offline && evidence.allow_sha1 && evidence.json);
  EXPECT_EQ(parse({"check", "f"})->evidence.profile, CheckProfile::nps);
}

TEST(CommandLine, CrlAndOcspVerbs) {
  EXPECT_EQ(parse({"crl", "show", "f"})->verb, Verb::crl_show);
  EXPECT_EQ(parse({"crl", "fetch", "http://h/f", "-o", "g"})->evidence.output, "g");
  EXPECT_EQ(parse({"ocsp", "show", "f"})->verb, Verb::ocsp_show);
  const auto ask = parse({"ocsp", "ask", "--cert", "c", "--issuer", "i", "--url", "u"});
  ASSERT_TRUE(ask) << ask.error().err;
  EXPECT_EQ(ask->verb, Verb::ocsp_ask);
  EXPECT_EQ(ask->evidence.certificate + ask->evidence.issuer + ask->evidence.url, "ciu");
  const auto verify = parse({"ocsp", "verify", "--ocsp", "f", "--trust", "t", "--extra", "e"});
  ASSERT_TRUE(verify) << verify.error().err;
  EXPECT_EQ(verify->evidence.input, "f");
}

TEST(CommandLine, MistakesExitWithFourAndSaySoOnStandardError) {
  for (const auto& arguments : std::vector<std::vector<const char*>>{{},
                                                                     {"sreve"},
                                                                     {"serve", "--lisen", "x"},
                                                                     {"serve", "--workers", "two"},
                                                                     {"config"},
                                                                     {"config", "chek"},
                                                                     {"serve", "extra"},
                                                                     {"completion"},
                                                                     {"completion", "fish"},
                                                                     {"serve", "--config"},
                                                                     {"check"},
                                                                     {"check", "f", "--at", "now"},
                                                                     {"crl"},
                                                                     {"ocsp", "verify", "f"}}) {
    const Exit exit = exit_of(arguments);
    EXPECT_EQ(exit.code, kExitUsage);
    EXPECT_FALSE(exit.err.empty());
    EXPECT_TRUE(exit.out.empty());
  }
}

TEST(CommandLine, VersionAndHelpGoToStandardOutput) {
  EXPECT_EQ(exit_of({"--version"}).code, kExitOk);
  EXPECT_EQ(exit_of({"--version"}).out, "revcache " + std::string(version()) + "\n");
  const Exit help = exit_of({"--help"});
  EXPECT_EQ(help.code, kExitOk);
  EXPECT_THAT(help.out, HasSubstr("serve"));
  EXPECT_THAT(help.out, HasSubstr("Exit codes"));
  EXPECT_THAT(exit_of({"serve", "--help"}).out, HasSubstr("--listen"));
}

// What bash offers for the last of `words`, sorted and separated by spaces.
std::string offered(const std::string& words, int count) {
  const TemporaryDirectory directory;
  const std::string script = directory.write("completion", exit_of({"completion", "bash"}).out);
  const std::string command =
      "bash -c 'source " + script + "; COMP_WORDS=(" + words +
      "); COMP_CWORD=" + std::to_string(count - 1) +
      "; _revcache; printf \"%s\\n\" \"${COMPREPLY[@]}\" | sort | tr \"\\n\" \" \"'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string output;
  std::array<char, 1024> buffer{};
  while (pipe && std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) {
    output += buffer.data();
  }
  return output;
}

TEST(CommandLine, BashCompletesVerbsFlagsAndFixedValues) {
  EXPECT_EQ(offered("revcache \"\"", 2),
            "--help --version -h check completion config crl floor ocsp policy purge refresh "
            "revoke revoked "
            "serve signer status unrevoke windows-kit ");
  EXPECT_EQ(offered("revcache config \"\"", 3), "--help -h check default show ");
  EXPECT_EQ(offered("revcache serve --log-f", 3), "--log-format ");
  EXPECT_EQ(offered("revcache serve --log-format \"\"", 4), "json logfmt ");
  EXPECT_EQ(offered("revcache serve --log-level w", 4), "warning ");
  EXPECT_EQ(offered("revcache completion b", 3), "bash ");
}

TEST(CommandLine, ZshScriptKnowsTheSameWords) {
  const std::string script = exit_of({"completion", "zsh"}).out;
  EXPECT_THAT(script, HasSubstr("#compdef revcache"));
  EXPECT_THAT(script, HasSubstr("--log-format) compadd -- json logfmt; return ;;"));
  EXPECT_THAT(script, HasSubstr("\" config\") compadd -- check show default "));
}

}  // namespace
}  // namespace revcache::config
