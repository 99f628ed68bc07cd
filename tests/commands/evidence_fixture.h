// What the tests of commands that look at evidence share: a web of scripted URLs, a clock that
// stands still, and the hierarchy of tests/testdata/make_chain.py.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "commands/http_client.h"
#include "commands/surroundings.h"

namespace revcache::commands {

inline std::string chain_path(const std::string& name) {
  return std::string(REVCACHE_TESTDATA) + "/chain/" + name;
}

inline std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return std::move(bytes).str();
}

// 2026-12-01, in the middle of what is valid there.
class StandingClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override {
    return WallTime(std::chrono::sys_days{std::chrono::year{2026} / 12 / 1});
  }
  [[nodiscard]] MonotonicTime monotonic() const override { return {}; }
};

// Answers by "GET url" or "POST url"; others are unreachable. Keeps what was asked.
class ScriptedHttp final : public HttpClient {
 public:
  Result<HttpAnswer> ask(const HttpQuestion& question) override {
    asked.push_back((question.post ? "POST " : "GET ") + question.url);
    posted = question.post.value_or("");
    auto found = answers.find(asked.back());
    for (auto at = answers.begin(); found == answers.end() && at != answers.end(); ++at) {
      const bool prefix = at->first.ends_with('*') &&
                          asked.back().starts_with(at->first.substr(0, at->first.size() - 1));
      if (prefix) found = at;
    }
    if (found == answers.end()) {
      return fail(ErrorCode::unreachable, Blame::upstream, "no such host");
    }
    if (found->second.body.size() > question.body_bytes_max) {
      return fail(ErrorCode::too_large, Blame::upstream, "too large");
    }
    return found->second;
  }

  // "GET http://cdn.test/*" is a prefix.
  void serve(const std::string& what, std::string body, std::uint16_t status = 200) {
    HttpAnswer answer;
    answer.status = status;
    answer.content_type = status == 200 ? "application/pkix-crl" : "text/plain; charset=utf-8";
    answer.cache_status = "revcache; hit";
    answer.body = SharedBytes::take(std::move(body));
    answer.elapsed_ms = 1.25;
    answers[what] = std::move(answer);
  }

  std::map<std::string, HttpAnswer> answers;
  std::vector<std::string> asked;
  std::string posted;
};

class EvidenceCommand : public testing::Test {
 protected:
  [[nodiscard]] Surroundings surroundings(bool online = true) {
    return {.clock = clock_,
            .http = online ? &http_ : nullptr,
            .hash_seed = 1,
            .out = out_,
            .err = err_,
            .colour = false};
  }

  StandingClock clock_;
  ScriptedHttp http_;
  std::ostringstream out_;
  std::ostringstream err_;
};

}  // namespace revcache::commands
