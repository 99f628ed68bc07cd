// Any octets as requests: never crashes, and reports the same however they are cut. The first octet
// says where.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/parser.h"
#include "http/serializer.h"
#include "http/uri.h"

namespace {

using namespace revcache::http;

const ParserLimits kLimits{.header_bytes_max = 4096,
                           .fields_max = 20,
                           .target_bytes_max = 1024,
                           .trailer_bytes_max = 512,
                           .chunk_line_bytes_max = 64};

void look_at(const RequestHead& head, std::string& log) {
  log.append("\nhead ").append(head.method_text).append(" ").append(head.target);
  log.append(head.keep_alive ? " keep " : " close ");
  log.append(std::to_string(static_cast<int>(head.framing)));
  log.append(std::to_string(head.content_length));
  append_fields(log, head.fields);
  // What a parser accepts can be sent on: nothing in it can end a line.
  std::string sent;
  append_request_line(sent, head.method_text, head.target);
  append_fields(sent, end_to_end_fields(head.fields).view());
  std::string storage;
  if (const auto uri = parse_absolute_form(head.target, storage)) CHECK(!uri->host.empty());
}

// False: the parser refuses, or needs no more.
bool feed(RequestParser& parser, std::string_view chunk, std::string& log, std::string& body) {
  while (!chunk.empty()) {
    const Step step = parser.feed(chunk);
    CHECK(step.consumed <= chunk.size());
    switch (step.kind) {
      case StepKind::need_more:
        CHECK(step.consumed == chunk.size());
        break;
      case StepKind::head:
        look_at(parser.head(), log);
        if (parser.head().method == Method::connect) return false;
        break;
      case StepKind::body:
        CHECK(!step.body.empty());
        body += step.body;
        break;
      case StepKind::end:
        log += "\nend " + body;
        body.clear();
        append_fields(log, parser.trailers());
        break;
      case StepKind::malformed:
        CHECK(parser.refusal() != Refusal::none && !parser.error().detail.empty());
        log += "\nrefused " + std::to_string(static_cast<int>(parser.refusal()));
        return false;
    }
    chunk.remove_prefix(step.consumed);
  }
  return true;
}

std::string outcome(std::string_view text, std::size_t piece_bytes) {
  RequestParser parser(kLimits);
  std::string log;
  std::string body;
  while (!text.empty()) {
    const std::string piece(text.substr(0, piece_bytes));  // a copy: views must not outlive it
    if (!feed(parser, piece, log, body)) return log;
    text.remove_prefix(piece.size());
  }
  return log + "\nopen " + body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = outcome(text, text.size() + 1);
  CHECK(outcome(text, 1) == whole);
  CHECK(outcome(text, std::size_t{1} + data[0]) == whole);
  return 0;
}
