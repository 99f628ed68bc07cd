#include "config/load.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include "config/reader.h"
#include "config/schema.h"
#include "config/secret_file.h"
#include "config/validate.h"

namespace revcache::config {
namespace {

constexpr std::string_view kCommandLine = "command line";

std::string directory_of(const std::string& file) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(file, error);
  return error ? std::string() : absolute.parent_path().string();
}

std::string working_directory() {
  std::error_code error;
  const auto path = std::filesystem::current_path(error);
  return error ? std::string() : path.string();
}

// "authority[0].signer" → "authority[0]" → "authority[0]" without index …
std::string parent_key(const std::string& key) {
  const std::size_t cut = key.find_last_of(".[");
  return cut == std::string::npos ? std::string() : key.substr(0, cut);
}

class Loading {
 public:
  explicit Loading(const Environment& environment) : config_(defaults(environment)) {}

  void read_text(std::string_view text, const std::string& name) {
    config_.source = name;
    const auto root = parse_document(text);
    if (!root) {
      errors_.push_back({name, root.error().position, root.error().message});
      return;
    }
    ReadOutcome outcome = read_document(*root, schema_of(config_, directory_of(name)));
    positions_ = std::move(outcome.positions);
    for (const Finding& finding : outcome.findings.all()) {
      errors_.push_back({name, finding.position, finding.message});
    }
  }

  void read_file(const std::string& path) {
    config_.source = path;
    if (const std::string reason = unreadable_reason(path); !reason.empty()) {
      errors_.push_back({path, {}, reason});
      return;
    }
    std::ifstream file(path, std::ios::binary);
    // One byte more than allowed, so that a longer file is seen to be too long.
    std::string text(kFileBytesMax + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    read_text(text, path);
  }

  void apply(const std::vector<Override>& overrides) {
    const Schema schema = schema_of(config_, working_directory());
    for (const Override& one : overrides) {
      overridden_[one.key] = one.option;
      const Findings findings = read_override(one.key, one.value, schema);
      for (const Finding& finding : findings.all()) {
        errors_.push_back({std::string(kCommandLine), {}, one.option + ": " + finding.message});
      }
    }
  }

  // Rules between keys mean little while single values are wrong, and would name them twice.
  LoadResult finish() {
    if (errors_.empty()) {
      for (const Complaint& complaint : validate(config_)) errors_.push_back(located(complaint));
    }
    if (errors_.empty()) {
      read_password();
      config_.access.named_destinations = named_destinations(config_);
    }
    if (errors_.empty()) return std::move(config_);
    return std::unexpected(in_order_of_place());
  }

 private:
  // Those of one place keep their order.
  std::vector<ConfigError> in_order_of_place() const {
    std::multimap<std::pair<std::uint32_t, std::uint32_t>, const ConfigError*> by_place;
    for (const ConfigError& error : errors_) {
      by_place.emplace(std::pair(error.position.line, error.position.column), &error);
    }
    std::vector<ConfigError> sorted;
    for (const auto& [place, error] : by_place) sorted.push_back(*error);
    return sorted;
  }

  ConfigError located(const Complaint& complaint) const {
    if (const auto found = overridden_.find(complaint.key); found != overridden_.end()) {
      return {std::string(kCommandLine), {}, found->second + ": " + complaint.message};
    }
    ConfigError error{config_.source, {}, complaint.key + ": " + complaint.message};
    for (std::string key = complaint.key; !key.empty(); key = parent_key(key)) {
      const auto found = positions_.find(key);
      if (found == positions_.end()) continue;
      error.position = found->second;
      break;
    }
    return error;
  }

  void read_password() {
    Upstream& upstream = config_.upstream;
    if (!upstream.parent_proxy || upstream.parent_proxy_password_file.empty()) return;
    auto password = read_secret_file(upstream.parent_proxy_password_file);
    if (password) {
      upstream.parent_proxy->password = std::move(*password);
    } else {
      errors_.push_back(located({"upstream.parent_proxy_password_file", password.error()}));
    }
  }

  Config config_;
  std::vector<ConfigError> errors_;
  Positions positions_;
  std::map<std::string, std::string> overridden_;  // key → option
};

}  // namespace

std::string ConfigError::to_string() const {
  std::string place = source;
  if (position.line != 0) {
    place += ':' + std::to_string(position.line) + ':' + std::to_string(position.column);
  }
  return place.empty() ? message : place + ": " + message;
}

LoadResult load(const Source& source) {
  Loading loading(source.environment);
  if (!source.file.empty()) loading.read_file(source.file);
  loading.apply(source.overrides);
  return loading.finish();
}

LoadResult load_file(const std::string& path) {
  return load(Source{.file = path, .overrides = {}});
}

LoadResult load_text(std::string_view text, const std::string& name,
                     const Environment& environment) {
  Loading loading(environment);
  loading.read_text(text, name);
  return loading.finish();
}

}  // namespace revcache::config
