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
    case Refusal::too_many_fields:
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

std::string request_transcript(const std::vector<std::string>& pieces, const ParserLimits& limits,
                               HeadMemo* known) {
  RequestParser parser(limits, known);
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

namespace {

// One connection to an origin: begins the next response whenever one is over.
class ResponseLog {
 public:
  ResponseLog(const std::vector<Method>& methods, const ParserLimits& limits)
      : methods_(methods), parser_(limits) {
    begin_next();
  }

  // False: nothing more can come, the parser refuses or a tunnel has begun.
  bool feed(std::string_view chunk) {
    while (!chunk.empty()) {
      const Step step = parser_.feed(chunk);
      chunk.remove_prefix(step.consumed);
      const bool is_tunnel = step.kind == StepKind::need_more && step.consumed == 0;
      if (is_tunnel || !note(step)) return false;
    }
    return true;
  }

  void close() {
    const Step last = parser_.finish();
    if (last.kind == StepKind::end) transcript_.note("closed");
    if (last.kind == StepKind::malformed) note(last);
  }

  [[nodiscard]] std::string take() { return transcript_.take(); }

 private:
  void begin_next() {
    if (begun_ < methods_.size()) parser_.begin(methods_[begun_++]);
  }

  bool note(const Step& step) {
    switch (step.kind) {
      case StepKind::need_more:
        break;
      case StepKind::head:
        note_head(parser_.head());
        break;
      case StepKind::body:
        transcript_.body(step.body);
        break;
      case StepKind::end:
        transcript_.end(parser_.trailers());
        begin_next();
        break;
      case StepKind::malformed:
        transcript_.note("! " + std::string(to_string(parser_.error().code)));
        return false;
    }
    return true;
  }

  void note_head(const ResponseHead& head) {
    transcript_.head(head_text(head));
    if (head.status >= 200 && head.framing == BodyFraming::none) begin_next();
  }

  const std::vector<Method>& methods_;
  ResponseParser parser_;
  Transcript transcript_;
  std::size_t begun_ = 0;
};

}  // namespace

std::string response_transcript(const std::vector<std::string>& pieces,
                                const std::vector<Method>& methods, const ParserLimits& limits) {
  ResponseLog log(methods, limits);
  for (const std::string& piece : pieces) {
    if (!log.feed(piece)) return log.take();
  }
  log.close();
  return log.take();
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
