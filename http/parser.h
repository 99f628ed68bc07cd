// HTTP/1.x parsing: llhttp in strict mode behind limits, plus the refusals that llhttp leaves to
// its user (docs/decisions/0002). Bytes in, heads and body pieces out; never waits, never logs.
//
//   while (!chunk.empty()) {
//     auto step = parser.feed(chunk);
//     chunk.remove_prefix(step.consumed);
//     …
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace revcache::http {

struct ParserLimits {
  std::size_t header_bytes_max = 32 * 1024;  // start line and fields together
  std::size_t fields_max = 100;
  std::size_t target_bytes_max = 8 * 1024;
  std::size_t trailer_bytes_max = 4 * 1024;
  std::size_t chunk_line_bytes_max = 256;  // chunk size with extensions
};

enum class StepKind : std::uint8_t {
  need_more,  // everything was consumed, nothing to report
  head,       // head() is complete; if it has no body, the message is complete too
  body,       // `body` is the next piece of content, decoded from chunked framing
  end,        // the body is complete; always consumes at least one octet, or comes from finish()
  malformed,  // error() says why; the parser refuses all further input
};

struct Step {
  StepKind kind = StepKind::need_more;
  std::size_t consumed = 0;
  // A view into the fed chunk. `consumed` may end one octet before it does: `end` consumes that
  // one.
  std::string_view body;
};

// Why a request is refused: also tells the status code.
enum class Refusal : std::uint8_t {
  none,
  bad_request /*400*/,
  header_too_large /*431*/,
  too_many_fields /*431*/,
  target_too_long /*414*/,
  version_not_supported /*505*/,
  transfer_coding_not_implemented /*501*/
};

class HeadMemo;

// One connection's requests, one after another. One thread at a time.
class RequestParser {
 public:
  // `limits` must outlive the parser, and so must `known`, whose parsers all have the same limits;
  // null: every head is read anew.
  explicit RequestParser(const ParserLimits& limits, HeadMemo* known = nullptr);
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;
  ~RequestParser();

  // Consumes from `chunk` up to the next event. A head whose bytes lie whole in one chunk is not
  // copied: head() then points into it, or into a known head that is equal. After a head without
  // body the next feed starts the next message. After CONNECT's head no byte more is consumed
  // (need_more). Any token is a method (RFC 9110 9.1); a version 1.x above 1.1 counts as 1.1.
  Step feed(std::string_view chunk);

  [[nodiscard]] const RequestHead& head() const noexcept;  // valid until the next feed()
  [[nodiscard]] const Error& error() const noexcept;       // after malformed
  [[nodiscard]] Refusal refusal() const noexcept;          // after malformed
  // True when the current message has begun and its head is not complete: for slow-sender limits.
  [[nodiscard]] bool in_head() const noexcept;
  // True between messages: closing now loses nothing.
  [[nodiscard]] bool between_messages() const noexcept;
  // Trailer fields of the message just ended (RFC 9110 6.5); validated, framing fields refused.
  [[nodiscard]] FieldsView trailers() const noexcept;
  // Between messages: gives back what a long head took and forgets the connection, so that another
  // may use the parser. Invalidates head() and trailers(). Elsewhere: does nothing.
  void release_memory();

 private:
  class State;
  std::unique_ptr<State> state_;
};

// The responses of one upstream connection. Interim (1xx) heads are reported like others, without
// body; the final head follows. One thread at a time.
class ResponseParser {
 public:
  explicit ResponseParser(const ParserLimits& limits);
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;
  ~ResponseParser();

  // Before the first byte of each response: HEAD and CONNECT change the framing (RFC 9112 6.3).
  // Not while one is under way (CHECK). Bytes that come without are malformed.
  void begin(Method request_method);
  Step feed(std::string_view chunk);
  // The peer closed. `end` when that ends a body framed by close, `malformed` (disconnected) when
  // the message is incomplete, need_more when no message had begun.
  Step finish();

  [[nodiscard]] ResponseHead& head() noexcept;  // after head; may be moved from
  // Of the response just ended, as RequestParser::trailers(); until the next feed().
  [[nodiscard]] FieldsView trailers() const noexcept;
  [[nodiscard]] const Error& error() const noexcept;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace revcache::http
