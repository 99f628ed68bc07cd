// Any octets as responses: never crashes, and reports the same however they are cut. The first
// octet says where, the second to which requests.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/cache_control.h"
#include "http/parser.h"
#include "http/serializer.h"

namespace {

using namespace revcache::http;

const ParserLimits kLimits{.header_bytes_max = 4096,
                           .fields_max = 20,
                           .target_bytes_max = 1024,
                           .trailer_bytes_max = 512,
                           .chunk_line_bytes_max = 64};

class Peer {
 public:
  explicit Peer(std::uint8_t methods) : methods_(methods) { begin(); }

  // False: the parser refuses, or a tunnel has begun.
  bool feed(std::string_view chunk) {
    while (!chunk.empty()) {
      const Step step = parser_.feed(chunk);
      CHECK(step.consumed <= chunk.size());
      if (!note(step)) return false;
      chunk.remove_prefix(step.consumed);
    }
    return true;
  }

  std::string finish() {
    note(parser_.finish());
    return log_ + "\nopen " + body_;
  }
  [[nodiscard]] const std::string& log() const { return log_; }

 private:
  void begin() {
    constexpr Method kMethods[] = {Method::get, Method::head, Method::post, Method::connect};
    method_ = kMethods[methods_ & 3U];
    methods_ = static_cast<std::uint8_t>(methods_ >> 2U | methods_ << 6U);
    parser_.begin(method_);
  }

  bool note(const Step& step) {
    switch (step.kind) {
      case StepKind::need_more:
        return true;
      case StepKind::head:
        return note_head();
      case StepKind::body:
        CHECK(!step.body.empty());
        body_ += step.body;
        return true;
      case StepKind::end:
        log_ += "\nend " + body_;
        body_.clear();
        append_fields(log_, parser_.trailers());
        begin();
        return true;
      case StepKind::malformed:
        log_ += "\nrefused " + std::string(to_string(parser_.error().code));
        return false;
    }
    return false;
  }

  bool note_head() {
    const ResponseHead head = std::move(parser_.head());
    log_ += head.keep_alive ? "\nhead keep " : "\nhead close ";
    log_ += std::to_string(static_cast<int>(head.framing)) + std::to_string(head.content_length);
    append_status_line(log_, head.status, head.reason);
    append_fields(log_, end_to_end_fields(head.fields.view()).view());
    parse_response_directives(head.fields.view());
    if (head.status < 200) return true;
    if (method_ == Method::connect && head.status < 300) return false;
    if (head.framing == BodyFraming::none) begin();
    return true;
  }

  ResponseParser parser_{kLimits};
  std::uint8_t methods_;
  Method method_ = Method::get;
  std::string log_;
  std::string body_;
};

std::string outcome(std::string_view text, std::size_t piece_bytes, std::uint8_t methods) {
  Peer peer(methods);
  while (!text.empty()) {
    const std::string piece(text.substr(0, piece_bytes));  // a copy: views must not outlive it
    if (!peer.feed(piece)) return peer.log();
    text.remove_prefix(piece.size());
  }
  return peer.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string whole = outcome(text, text.size() + 1, data[1]);
  CHECK(outcome(text, 1, data[1]) == whole);
  CHECK(outcome(text, std::size_t{1} + data[0], data[1]) == whole);
  return 0;
}
