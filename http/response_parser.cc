#include <string>

#include "base/check.h"
#include "http/body_reader.h"
#include "http/framing.h"
#include "http/head_reader.h"
#include "http/parser.h"
#include "http/start_line.h"

namespace revcache::http {
namespace {

// Interim responses before one final response. More is a peer that means no good.
constexpr unsigned kInterimHeadsMax = 16;

constexpr std::uint64_t kDelimiting =
    FieldsView::bit(FieldId::content_length) | FieldsView::bit(FieldId::transfer_encoding);

}  // namespace

class ResponseParser::State {
 public:
  explicit State(const ParserLimits& limits) : reader_(limits), body_(limits) {}

  void begin(Method request_method);
  Step feed(std::string_view chunk);
  Step finish();

  [[nodiscard]] ResponseHead& head() noexcept { return head_; }
  [[nodiscard]] const Error& error() const noexcept { return error_; }
  [[nodiscard]] FieldsView trailers() const noexcept { return body_.trailers(); }

 private:
  enum class Phase : std::uint8_t { idle, before, head, body, tunnel, failed };

  Step read_head(std::string_view chunk);
  Fault finish_head();
  Step read_body(std::string_view chunk);
  Step refuse(const Fault& fault, std::size_t consumed);

  HeadReader reader_;
  BodyReader body_;
  ResponseHead head_;
  StatusLine line_;
  Method request_method_ = Method::get;
  unsigned interim_heads_ = 0;
  Phase phase_ = Phase::idle;
  Error error_{ErrorCode::malformed, Blame::upstream, {}};
};

void ResponseParser::State::begin(Method request_method) {
  if (phase_ == Phase::failed) return;
  CHECK(phase_ == Phase::idle);
  request_method_ = request_method;
  interim_heads_ = 0;
  phase_ = Phase::before;
}

Step ResponseParser::State::feed(std::string_view chunk) {
  switch (phase_) {
    case Phase::idle:
      if (chunk.empty()) return {};
      return refuse({Refusal::bad_request, "data without a request"}, 0);
    case Phase::before:
      if (chunk.empty()) return {};
      reader_.begin();
      phase_ = Phase::head;
      return read_head(chunk);
    case Phase::head:
      return read_head(chunk);
    case Phase::body:
      return read_body(chunk);
    case Phase::tunnel:
      return {};
    case Phase::failed:
      break;
  }
  return {StepKind::malformed, 0, {}};
}

Step ResponseParser::State::read_head(std::string_view chunk) {
  std::size_t consumed = 0;
  for (;;) {
    std::size_t taken = 0;
    const HeadReader::Event event = reader_.read(chunk.substr(consumed), taken);
    consumed += taken;
    if (event == HeadReader::Event::need_more) return {StepKind::need_more, consumed, {}};
    if (event == HeadReader::Event::refused) return refuse(reader_.fault(), consumed);
    const bool at_line = event == HeadReader::Event::start_line;
    const Fault fault = at_line ? parse_status_line(reader_.start_line(), line_) : finish_head();
    if (fault.is_set()) return refuse(fault, consumed);
    if (!at_line) return {StepKind::head, consumed, {}};
    head_.reason = line_.reason;
  }
}

Fault ResponseParser::State::finish_head() {
  const FieldsView fields = reader_.fields();
  Framing framing;
  const Fault fault =
      response_framing(request_method_, line_.status, line_.version, fields, framing);
  if (fault.is_set()) return fault;
  head_.version = line_.version;
  head_.status = line_.status;
  head_.fields = Fields(fields);
  head_.framing = framing.kind;
  head_.content_length = framing.length;
  head_.keep_alive = keeps_alive(line_.version, fields) && framing.kind != BodyFraming::until_close;

  body_.begin(framing);
  if (line_.status < 200) {
    // We never ask for an upgrade, so nobody may switch protocols (RFC 9110 15.2.2).
    if (line_.status == 101) return {Refusal::bad_request, "101 that nobody asked for"};
    if (++interim_heads_ > kInterimHeadsMax) {
      return {Refusal::bad_request, "too many interim responses"};
    }
    phase_ = Phase::before;
    return {};
  }
  if (request_method_ == Method::connect && line_.status < 300) {
    phase_ = Phase::tunnel;
    return {};
  }
  // RFC 9110 15.3.5: 204 has no content. An origin that announces some may be about to send it.
  if (line_.status == 204 && fields.has_any(kDelimiting) &&
      fields.find(FieldId::content_length) != "0") {
    head_.keep_alive = false;
  }
  const bool has_body = framing.kind != BodyFraming::none;
  phase_ = has_body ? Phase::body : Phase::idle;
  return {};
}

Step ResponseParser::State::read_body(std::string_view chunk) {
  const Step step = body_.feed(chunk);
  if (step.kind == StepKind::malformed) return refuse(body_.fault(), step.consumed);
  if (step.kind == StepKind::end) phase_ = Phase::idle;
  return step;
}

Step ResponseParser::State::finish() {
  switch (phase_) {
    case Phase::idle:
    case Phase::before:
    case Phase::tunnel:
      return {};
    case Phase::body:
      if (body_.ends_with_connection()) {
        phase_ = Phase::idle;
        return {StepKind::end, 0, {}};
      }
      break;
    case Phase::head:
      break;
    case Phase::failed:
      return {StepKind::malformed, 0, {}};
  }
  phase_ = Phase::failed;
  error_ = {ErrorCode::disconnected, Blame::upstream, "closed within a response"};
  return {StepKind::malformed, 0, {}};
}

Step ResponseParser::State::refuse(const Fault& fault, std::size_t consumed) {
  phase_ = Phase::failed;
  const bool too_large =
      fault.refusal == Refusal::header_too_large || fault.refusal == Refusal::too_many_fields;
  error_ = {too_large ? ErrorCode::too_large : ErrorCode::malformed, Blame::upstream,
            std::string(fault.reason)};
  return {StepKind::malformed, consumed, {}};
}

ResponseParser::ResponseParser(const ParserLimits& limits)
    : state_(std::make_unique<State>(limits)) {}
ResponseParser::~ResponseParser() = default;

void ResponseParser::begin(Method request_method) { state_->begin(request_method); }
Step ResponseParser::feed(std::string_view chunk) { return state_->feed(chunk); }
Step ResponseParser::finish() { return state_->finish(); }
ResponseHead& ResponseParser::head() noexcept { return state_->head(); }
const Error& ResponseParser::error() const noexcept { return state_->error(); }
FieldsView ResponseParser::trailers() const noexcept { return state_->trailers(); }

}  // namespace revcache::http
