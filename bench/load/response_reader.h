// Reads the responses of one connection for the load generator: status, length and a hash of the
// body, and nothing else, so that the load costs less than what it measures. Understands
// Content-Length and bodies that the closing of the connection ends; no chunked framing.
#pragma once

#include <xxhash.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace revcache::bench {

struct ResponseSummary {
  int status = 0;
  std::uint64_t body_bytes = 0;
  std::uint64_t body_hash = 0;  // XXH3 of the body
};

class ResponseReader {
 public:
  enum class Outcome : std::uint8_t { need_more, complete, malformed };

  ResponseReader();

  // Consumes from `chunk` up to the end of the response; what is left stays in `chunk`.
  Outcome feed(std::string_view& chunk);
  // The peer closed.
  Outcome finish();
  [[nodiscard]] const ResponseSummary& summary() const noexcept { return summary_; }

 private:
  struct FreeHash {
    void operator()(XXH3_state_t* state) const noexcept { XXH3_freeState(state); }
  };

  bool take_head(std::string_view head);
  Outcome take_body(std::string_view& chunk);
  Outcome complete();

  std::unique_ptr<XXH3_state_t, FreeHash> hash_;
  std::string partial_head_;
  bool in_body_ = false;
  bool until_close_ = false;
  std::uint64_t remaining_ = 0;
  ResponseSummary summary_;
};

}  // namespace revcache::bench
