#include "tests/http/transcript.h"

#include <utility>

namespace revcache::http {
namespace {

std::string_view status_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::none:
      return "none";
    case Refusal::bad_request:
      return "400";
    case Refusal::header_too_large:
      return "431";
    case Refusal::target_too_long:
      return "414";
    case Refusal::version_not_supported:
      return "505";
    case Refusal::transfer_coding_not_implemented:
      return "501";
  }
  return "?";
}

std::string framing_text(BodyFraming framing, std::uint64_t length) {
  switch (framing) {
    case BodyFraming::none:
      return "none";
    case BodyFraming::length:
      return "length=" + std::to_string(length);
    case BodyFraming::chunked:
      return "chunked";
    case BodyFraming::until_close:
      return "until_close";
  }
  return "?";
}

std::string fields_text(const FieldsView& fields) {
  std::string text = "{";
  for (const Field& field : fields) {
    if (text.size() > 1) text += ", ";
    text.append(field.name).append(": ").append(field.value);
  }
  return text + "}";
}

std::string version_text(Version version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

// Gathers events; pieces of one body are joined.
class Transcript {
 public:
  void head(const std::string& text) {
    if (!text_.empty()) text_ += " | ";
    text_ += text;
    in_body_ = false;
  }
  void body(std::string_view piece) {
    if (!in_body_) text_ += " body=";
    in_body_ = true;
    text_ += piece;
  }
  void end(const FieldsView& trailers) {
    text_ += " end";
    if (!trailers.empty()) text_ += " trailers" + fields_text(trailers);
    in_body_ = false;
  }
  void note(std::string_view text) {
    if (!text_.empty()) text_ += " ";
    text_ += text;
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
  bool in_body_ = false;
};

std::string head_text(const RequestHead& head) {
  std::string text(head.method_text);
  text.append(" ").append(head.target).append(" ").append(version_text(head.version));
  text += head.keep_alive ? " keep " : " close ";
  return text + framing_text(head.framing, head.content_length) + fields_text(head.fields);
}

std::string head_text(const ResponseHead& head) {
  std::string text = std::to_string(head.status) + " " + version_text(head.version);
  text += head.keep_alive ? " keep " : " close ";
  text += framing_text(head.framing, head.content_length);
  return text + " '" + head.reason + "'" + fields_text(head.fields.view());
}

}  // namespace

std::string request_transcript(const std::vector<std::string>& pieces, const ParserLimits& limits) {
  RequestParser parser(limits);
  Transcript transcript;
  bool tunnel = false;
  for (const std::string& piece : pieces) {
    std::string_view chunk = piece;
    while (!chunk.empty() && !tunnel) {
      const Step step = parser.feed(chunk);
      switch (step.kind) {
        case StepKind::need_more:
          break;
        case StepKind::head:
          transcript.head(head_text(parser.head()));
          tunnel = parser.head().method == Method::connect;
          break;
        case StepKind::body:
          transcript.body(step.body);
          break;
        case StepKind::end:
          transcript.end(parser.trailers());
          break;
        case StepKind::malformed:
          transcript.note("! " + std::string(status_of(parser.refusal())));
          return transcript.take();
      }
      chunk.remove_prefix(step.consumed);
    }
  }
  if (parser.in_head()) transcript.note("…");
  return transcript.take();
}

std::string response_transcript(const std::vector<std::string>& pieces,
                                const std::vector<Method>& methods, const ParserLimits& limits) {
  ResponseParser parser(limits);
  Transcript transcript;
  std::size_t begun = 0;
  const auto begin_next = [&] {
    if (begun < methods.size()) parser.begin(methods[begun++]);
  };
  begin_next();
  for (const std::string& piece : pieces) {
    std::string_view chunk = piece;
    while (!chunk.empty()) {
      const Step step = parser.feed(chunk);
      chunk.remove_prefix(step.consumed);
      switch (step.kind) {
        case StepKind::need_more:
          if (step.consumed == 0) return transcript.take();  // a tunnel
          break;
        case StepKind::head: {
          ResponseHead& head = parser.head();
          transcript.head(head_text(head));
          const bool is_final = head.status >= 200;
          if (is_final && head.framing == BodyFraming::none) begin_next();
          break;
        }
        case StepKind::body:
          transcript.body(step.body);
          break;
        case StepKind::end:
          transcript.end(parser.trailers());
          begin_next();
          break;
        case StepKind::malformed:
          transcript.note("! " + std::string(to_string(parser.error().code)));
          return transcript.take();
      }
    }
  }
  const Step last = parser.finish();
  if (last.kind == StepKind::end) transcript.note("closed");
  if (last.kind == StepKind::malformed) {
    transcript.note("! " + std::string(to_string(parser.error().code)));
  }
  return transcript.take();
}

std::vector<std::string> whole(std::string_view text) { return {std::string(text)}; }

std::vector<std::string> octets(std::string_view text) {
  std::vector<std::string> pieces;
  for (const char c : text) pieces.emplace_back(1, c);
  return pieces;
}

std::vector<std::string> cut(std::string_view text, std::size_t at) {
  return {std::string(text.substr(0, at)), std::string(text.substr(at))};
}

}  // namespace revcache::http
