#include "config/command_line.h"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "config/admin_verbs.h"
#include "config/completion.h"
#include "config/evidence_verbs.h"
#include "config/signer_verbs.h"
#include "config/windows_kit_verb.h"

namespace revcache::config {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 yes, good; 1 no, revoked, refused; 2 unknown, unreachable; 3 invalid chain;\n"
    "4 usage, unreadable or malformed input, invalid configuration.";

// What the flags of serve and config say, before it becomes overrides.
struct Flags {
  std::string file;
  std::vector<std::string> listen;
  std::optional<std::string> admin;
  std::optional<std::string> data;
  std::optional<std::int64_t> workers;
  std::vector<std::string> clients;
  std::vector<std::string> destinations;
  std::vector<std::string> private_destinations;
  std::optional<std::string> log_format;
  std::optional<std::string> log_level;
  std::optional<std::string> access_log;
};

template <class T>
CLI::Option* add_flag_value(CLI::App& app, const std::string& name, T& place,
                            const std::string& description, const std::string& type) {
  return app.add_option(name, place, description)->type_name(type);
}

// May be repeated; each occurrence takes one value.
void add_repeatable(CLI::App& app, const std::string& name, std::vector<std::string>& place,
                    const std::string& description, const std::string& type) {
  add_flag_value(app, name, place, description + "; may be repeated", type)
      ->allow_extra_args(false);
}

void add_settings(CLI::App& app, Flags& flags) {
  add_flag_value(app, "-c,--config", flags.file, "Configuration file (TOML)", "FILE");
  add_repeatable(app, "--listen", flags.listen, "Address of the proxy", "ADDRESS:PORT");
  add_flag_value(app, "--admin", flags.admin, "Address of the admin port", "ADDRESS:PORT");
  add_flag_value(app, "--data", flags.data, "Keep cache and state in its subdirectories", "DIR");
  add_flag_value(app, "--workers", flags.workers, "Event loops; 0: one per core", "N");
  add_repeatable(app, "--client", flags.clients, "Network that may use the proxy", "NETWORK");
  add_repeatable(app, "--destination", flags.destinations,
                 "Host that may be fetched from, instead of the file's and the built-in ones",
                 "PATTERN");
  add_repeatable(app, "--allow-private", flags.private_destinations,
                 "Private network that may be connected to", "NETWORK");
  add_flag_value(app, "--log-format", flags.log_format, "Form of log lines", "json|logfmt");
  add_flag_value(app, "--log-level", flags.log_level, "Least level that is logged",
                 "debug|info|warning|error");
  add_flag_value(app, "--access-log", flags.access_log, "Requests to log", "off|misses|all");
}

class OverrideList {
 public:
  void add(const std::string& option, const std::string& key,
           const std::optional<std::string>& text) {
    if (text) push(option, key, *text);
  }

  void add(const std::string& option, const std::string& key,
           const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    Value::Array items;
    for (const std::string& text : texts) items.emplace_back().data = text;
    push(option, key, std::move(items));
  }

  void add(const std::string& option, const std::string& key,
           const std::optional<std::int64_t>& number) {
    if (number) push(option, key, *number);
  }

  std::vector<Override> take() { return std::move(overrides_); }

 private:
  template <class Data>
  void push(const std::string& option, const std::string& key, Data data) {
    Override one{.option = option, .key = key, .value = {}};
    one.value.data = std::move(data);
    overrides_.push_back(std::move(one));
  }

  std::vector<Override> overrides_;
};

Source source_of(const Flags& flags) {
  OverrideList list;
  list.add("--listen", "listen.proxy", flags.listen);
  list.add("--admin", "listen.admin", flags.admin);
  list.add("--workers", "listen.workers", flags.workers);
  if (flags.data) {
    const std::string base = flags.data->empty() ? "." : *flags.data;
    list.add("--data", "cache.directory", std::optional(base + "/cache"));
    list.add("--data", "state.directory", std::optional(base + "/state"));
  }
  list.add("--client", "access.clients", flags.clients);
  list.add("--destination", "access.destinations", flags.destinations);
  list.add("--allow-private", "access.allow_private_destinations", flags.private_destinations);
  list.add("--log-format", "log.format", flags.log_format);
  list.add("--log-level", "log.level", flags.log_level);
  list.add("--access-log", "log.access", flags.access_log);
  return Source{.file = flags.file, .overrides = list.take()};
}

// The verbs and where their flags go.
class Interface {
 public:
  Interface() {
    app_.set_version_flag("--version", "revcache " + std::string(version()),
                          "Print the version and end");
    app_.set_help_flag("-h,--help", "Print this help and end");
    app_.footer(kFooter);
    app_.require_subcommand(1);
    add_settings(*serve_, flags_);
    config_->require_subcommand(1);
    for (CLI::App* verb : {check_, show_}) {
      add_settings(*verb, flags_);
      add_flag_value(*verb, "file", flags_.file, "The same as --config", "FILE");
    }
    completion_->add_option("shell", shell_, "Shell to make it for")
        ->required()
        ->type_name("bash|zsh")
        ->check(CLI::IsMember({"bash", "zsh"}));
  }

  std::expected<CommandLine, Exit> parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      std::ostringstream out;
      std::ostringstream err;
      const int code = app_.exit(error, out, err);
      return std::unexpected(Exit{code == 0 ? kExitOk : kExitUsage, out.str(), err.str()});
    }
    if (completion_->parsed()) {
      return std::unexpected(Exit{kExitOk, completion_script(app_, shell_), {}});
    }
    if (const auto verb = evidence_.parsed()) {
      return CommandLine{*verb, {}, evidence_.arguments()};
    }
    if (const auto verb = admin_.parsed()) {
      return CommandLine{*verb, {}, {}, {}, admin_.arguments()};
    }
    if (windows_kit_.parsed()) {
      CommandLine line{Verb::windows_kit, Source{.file = windows_kit_.file(), .overrides = {}}};
      line.windows_kit = windows_kit_.arguments();
      return line;
    }
    if (signer_.parsed_new()) return CommandLine{Verb::signer_new, {}, {}, signer_.arguments()};
    return CommandLine{parsed_verb(), source_of(flags_)};
  }

 private:
  [[nodiscard]] Verb parsed_verb() const {
    if (check_->parsed()) return Verb::config_check;
    if (show_->parsed()) return Verb::config_show;
    if (default_->parsed()) return Verb::config_default;
    return Verb::serve;
  }

  Flags flags_;
  std::string shell_;
  CLI::App app_{"Caching proxy for CRLs, OCSP answers and CA certificates", "revcache"};
  CLI::App* serve_ = app_.add_subcommand("serve", "Run the proxy");
  EvidenceVerbs evidence_{app_};
  SignerVerbs signer_{app_};
  AdminVerbs admin_{app_};
  WindowsKitVerb windows_kit_{app_};
  CLI::App* config_ = app_.add_subcommand("config", "Look at the configuration");
  CLI::App* check_ = config_->add_subcommand("check", "Say everything that is wrong with it");
  CLI::App* show_ = config_->add_subcommand("show", "Print the effective settings");
  CLI::App* default_ =
      config_->add_subcommand("default", "Print a commented file with every default");
  CLI::App* completion_ =
      app_.add_subcommand("completion", "Print a completion script for a shell");
};

}  // namespace

std::expected<CommandLine, Exit> parse_command_line(int argc, const char* const* argv) {
  return Interface().parse(argc, argv);
}

std::string_view version() noexcept { return REVCACHE_VERSION; }

}  // namespace revcache::config
