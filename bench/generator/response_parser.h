// Reads the responses of one connection: status, what the cache says, validators, and a hash of the
// body. llhttp does the reading, so any framing that a proxy may use is understood. Holds at most
// kFieldBytesMax of each field that it looks at; the body is never kept but for its first bytes.
// One connection owns it; one thread.
#pragma once

#include <llhttp.h>
#include <xxhash.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bench/generator/cache_result.h"

namespace revcache::bench {

struct Answer {
  int status = 0;
  CacheResult cache = CacheResult::none;
  std::string etag;
  std::string last_modified;
  std::uint64_t body_bytes = 0;
  std::uint64_t body_hash = 0;  // XXH3 of the body
  // The responseStatus of an OCSP response (RFC 6960 4.2.1), 0 for successful; -1: it is none.
  int ocsp_status = -1;
  bool keeps_alive = false;
};

class ResponseParser {
 public:
  enum class Step : std::uint8_t { need_more, complete, malformed };

  ResponseParser();
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  // Before each response: the parser keeps nothing of the one before.
  void reset();
  // `chunk` is consumed up to the end of the response; what is left of it stays.
  Step feed(std::string_view& chunk);
  // The peer has closed.
  Step finish();
  // Any octet of the present response has come.
  [[nodiscard]] bool begun() const noexcept { return begun_; }
  // Of the response that is complete.
  [[nodiscard]] const Answer& answer() const noexcept { return answer_; }

 private:
  static constexpr std::size_t kFieldBytesMax = 1024;
  static constexpr std::size_t kFirstBytes = 16;
  enum class Field : std::uint8_t { none, cache_status, x_cache_status, x_cache, etag, modified };

  static int on_field(llhttp_t* parser, const char* at, std::size_t length);
  static int on_value(llhttp_t* parser, const char* at, std::size_t length);
  static int on_value_complete(llhttp_t* parser);
  static int on_headers_complete(llhttp_t* parser);
  static int on_body(llhttp_t* parser, const char* at, std::size_t length);
  static int on_complete(llhttp_t* parser);
  static const llhttp_settings_t& settings();
  static ResponseParser& self(llhttp_t* parser) {
    return *static_cast<ResponseParser*>(parser->data);
  }

  std::string& value_of(Field field) { return values_[static_cast<std::size_t>(field)]; }
  void complete();

  struct FreeHash {
    void operator()(XXH3_state_t* state) const noexcept { XXH3_freeState(state); }
  };

  llhttp_t parser_{};
  std::unique_ptr<XXH3_state_t, FreeHash> hash_;
  std::string name_;
  std::array<std::string, 6> values_;
  Field field_ = Field::none;
  std::array<unsigned char, kFirstBytes> first_{};
  bool begun_ = false;
  bool complete_ = false;
  Answer answer_;
};

}  // namespace revcache::bench
