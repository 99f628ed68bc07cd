#include <string>

#include "base/check.h"
#include "http/framing.h"
#include "http/message_reader.h"
#include "http/parser.h"
#include "http/start_line.h"

namespace revcache::http {
namespace {

// Interim responses before one final response. More is a peer that means no good.
constexpr unsigned kInterimHeadsMax = 16;

constexpr std::uint64_t kDelimiting =
    FieldsView::bit(FieldId::content_length) | FieldsView::bit(FieldId::transfer_encoding);

}  // namespace

class ResponseParser::State final : public MessageReader {
 public:
  explicit State(const ParserLimits& limits) : MessageReader(limits) {}

  void begin(Method request_method);
  Step finish();

  [[nodiscard]] ResponseHead& head() noexcept { return head_; }
  [[nodiscard]] const Error& error() const noexcept { return error_; }

 private:
  // In phase `between` no response is expected; in `before` one is, or the one after an interim
  // one.
  Step begin_message(std::string_view chunk) override;
  Step read_head(std::string_view chunk, std::size_t consumed) override;
  void on_refused(const Fault& fault) override;
  Fault finish_head();

  ResponseHead head_;
  StatusLine line_;
  Method request_method_ = Method::get;
  unsigned interim_heads_ = 0;
  Error error_{ErrorCode::malformed, Blame::upstream, {}};
};

void ResponseParser::State::begin(Method request_method) {
  if (phase_ == Phase::failed) return;
  CHECK(phase_ == Phase::between);
  request_method_ = request_method;
  interim_heads_ = 0;
  phase_ = Phase::before;
}

Step ResponseParser::State::begin_message(std::string_view chunk) {
  if (chunk.empty()) return {};
  if (phase_ == Phase::between) {
    return refuse({Refusal::bad_request, "data without a request"}, 0);
  }
  reader_.begin();
  phase_ = Phase::head;
  return read_head(chunk, 0);
}

Step ResponseParser::State::read_head(std::string_view chunk, std::size_t consumed) {
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
  phase_ = has_body ? Phase::body : Phase::between;
  return {};
}

Step ResponseParser::State::finish() {
  switch (phase_) {
    case Phase::between:
    case Phase::before:
    case Phase::tunnel:
      return {};
    case Phase::body:
      if (body_.ends_with_connection()) {
        phase_ = Phase::between;
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

void ResponseParser::State::on_refused(const Fault& fault) {
  const bool too_large =
      fault.refusal == Refusal::header_too_large || fault.refusal == Refusal::too_many_fields;
  error_ = {too_large ? ErrorCode::too_large : ErrorCode::malformed, Blame::upstream,
            std::string(fault.reason)};
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
