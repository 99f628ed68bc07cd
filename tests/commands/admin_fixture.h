// What the tests of commands that talk to a running instance share: one scripted answer, and what
// was asked.
#pragma once

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "commands/http_client.h"
#include "commands/surroundings.h"
#include "config/admin_arguments.h"

namespace revcache::commands {

class ScriptedInstance final : public HttpClient {
 public:
  Result<HttpAnswer> ask(const HttpQuestion& question) override {
    asked.push_back(question);
    if (!body) return fail(ErrorCode::unreachable, Blame::upstream, "connection refused");
    HttpAnswer answer;
    answer.status = status;
    answer.content_type = "application/json";
    answer.body = SharedBytes::copy_of(*body);
    return answer;
  }

  std::uint16_t status = 200;
  std::optional<std::string> body;  // nullopt: nobody listens
  std::vector<HttpQuestion> asked;
};

class AdminCommand : public testing::Test {
 protected:
  [[nodiscard]] Surroundings surroundings() {
    return {.clock = clock_,
            .http = &instance_,
            .hash_seed = 1,
            .out = out_,
            .err = err_,
            .colour = false};
  }
  void answers(std::uint16_t status, std::string body) {
    instance_.status = status;
    instance_.body = std::move(body);
  }
  [[nodiscard]] nlohmann::json posted() const {
    return nlohmann::json::parse(instance_.asked.back().post.value());
  }

  SystemClock clock_;
  ScriptedInstance instance_;
  config::AdminArguments arguments_;
  std::ostringstream out_;
  std::ostringstream err_;
};

}  // namespace revcache::commands
