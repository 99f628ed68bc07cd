// A SignerWatch over files in a directory of its own, with keys made for the test.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "metrics/log.h"
#include "revocation/responder_table.h"
#include "tests/config/temporary_directory.h"
#include "tests/pki/signer_identities.h"

namespace revcache::revocation::testing {

// Any thread.
class SignerLog final : public metrics::Log {
 public:
  struct Event {
    metrics::LogLevel level;
    std::string event;
    std::map<std::string, std::string> fields;  // texts only
  };

  void write(metrics::LogLevel level, std::string_view event,
             std::initializer_list<metrics::LogField> fields) override {
    Event noted{.level = level, .event = std::string(event), .fields = {}};
    for (const metrics::LogField& field : fields) {
      const auto* text = std::get_if<std::string_view>(&field.value);
      if (text != nullptr) noted.fields.emplace(field.key, *text);
    }
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(noted));
  }
  [[nodiscard]] std::vector<Event> of(std::string_view event) const {
    const std::lock_guard lock(mutex_);
    std::vector<Event> found;
    for (const Event& noted : events_) {
      if (noted.event == event) found.push_back(noted);
    }
    return found;
  }
  [[nodiscard]] std::size_t count(std::string_view event) const { return of(event).size(); }

 private:
  mutable std::mutex mutex_;
  std::vector<Event> events_;
};

struct SignerWatchWorld {
  SignerWatchWorld() {
    watch.on_change([this](ResponderTablePtr table) { published.push_back(std::move(table)); });
  }

  // As administrators do it: the new file takes the old one's name.
  void put(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    const std::string path = directory.write(name + ".new", text);
    CHECK(chmod(path.c_str(), mode) == 0);
    std::filesystem::rename(path, path_of(name));
  }
  void put(const pki::Identity& identity, const std::string& name = "ocsp") const {
    put(name + ".pem", identity.certificate_pem);
    put(name + ".key", identity.key_pem);
  }
  [[nodiscard]] std::string path_of(const std::string& name) const {
    return directory.path() + "/" + name;
  }
  [[nodiscard]] SignerSource source(const std::string& name = "ocsp") const {
    return {.name = name,
            .files = {.certificate = path_of(name + ".pem"), .key = path_of(name + ".key")}};
  }
  static AnsweredAuthority answered(const pki::Identity& identity,
                                    const std::string& name = "contoso",
                                    const std::string& signer = "ocsp") {
    return {.name = name,
            .certificate = identity.certificate,
            .signer = signer,
            .responder_hosts = {},
            .policy = {}};
  }
  // One signer of that identity, for authority.
  void begin(const pki::Identity& signer) {
    put(signer);
    const auto configured = watch.configure({source()}, {answered(authority)}, now);
    ASSERT_TRUE(configured) << configured.error().detail;
  }
  static pki::Identity delegated_by(const pki::Identity& issuer, WallSeconds not_before,
                                    WallSeconds not_after = pki::kFarAhead) {
    return pki::make_identity({.name = "OCSP signer",
                               .issuer = &issuer,
                               .extended_key_usage = "OCSPSigning",
                               .key_usage = "critical,digitalSignature",
                               .nocheck = true,
                               .not_before = not_before,
                               .not_after = not_after});
  }
  [[nodiscard]] pki::Identity delegated(WallSeconds not_before = pki::kLongAgo,
                                        WallSeconds not_after = pki::kFarAhead) const {
    return delegated_by(authority, not_before, not_after);
  }
  [[nodiscard]] const SigningAuthority& only() const {
    held = watch.table();
    CHECK(held->authorities.size() == 1);
    return held->authorities.front();
  }
  [[nodiscard]] std::string certificate_in_use() const {
    return std::string(only().signer->certificate()->der.text());
  }
  [[nodiscard]] static std::string der(const pki::Identity& identity) {
    return std::string(identity.certificate->der.text());
  }
  [[nodiscard]] WallSeconds seconds() const {
    return std::chrono::floor<std::chrono::seconds>(now);
  }

  config::TemporaryDirectory directory;
  pki::Identity authority = pki::make_authority();
  WallTime now = std::chrono::sys_days{std::chrono::year(2026) / 11 / 22};
  SignerLog log;
  std::vector<ResponderTablePtr> published;
  SignerWatch watch{log};
  mutable ResponderTablePtr held;  // keeps what only() gave
};

}  // namespace revcache::revocation::testing
