// What a client is told when it gets no object: the only place that turns an Error or a broken rule
// into a status code. Bodies are short text that names the rule and the setting to change.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/parser.h"

namespace revcache::proxy {

struct TextReply {
  std::uint16_t status = 500;
  std::string text;             // without the closing newline
  bool text_is_binary = false;  // no newline is added
  bool close = false;           // the connection cannot go on after it
  std::string allow;            // Allow field of 405 and of OPTIONS; empty: none
  std::optional<std::chrono::seconds> retry_after{};
  std::string content_type = "text/plain; charset=utf-8";
  std::string cache_control{};  // empty: none
  std::string cache_status;     // value of Cache-Status; empty: none
};

// A fetch that failed, by code and blame. The detail goes to the log, not to the client, but for
// refusals of upstream bodies, whose reason the administrator needs to see (SPEC section 4).
TextReply reply_for(const Error& error);

// A request that the parser refused: always closes.
TextReply reply_for(http::Refusal refusal);

// Octets of its body: the text, and the newline that ends what is not binary.
std::size_t body_size(const TextReply& reply) noexcept;

// Status line, fields and body, ready to be sent. `head_only`: without the body (HEAD).
std::string render(const TextReply& reply, WallSeconds now, std::string_view connection_field,
                   bool head_only);

}  // namespace revcache::proxy
