#include <array>
#include <string>
#include <string_view>

#include "http/authority.h"
#include "http/framing.h"
#include "http/head_memo.h"
#include "http/message_reader.h"
#include "http/parser.h"
#include "http/start_line.h"

namespace revcache::http {
namespace {

ErrorCode code_of(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::header_too_large:
    case Refusal::too_many_fields:
    case Refusal::target_too_long:
      return ErrorCode::too_large;
    case Refusal::version_not_supported:
    case Refusal::transfer_coding_not_implemented:
      return ErrorCode::unsupported;
    case Refusal::none:
    case Refusal::bad_request:
      break;
  }
  return ErrorCode::malformed;
}

// The Host that was found valid last. Clients send the same one again and again, so reading it anew
// each time is work for nothing.
class ValidHost {
 public:
  [[nodiscard]] bool is(std::string_view host) const noexcept {
    return host == std::string_view(text_.data(), size_);
  }
  void remember(std::string_view host) noexcept {
    if (host.size() > text_.size()) return;
    size_ = host.copy(text_.data(), text_.size());
  }

 private:
  std::array<char, 64> text_{};
  std::size_t size_ = 0;
};

// RFC 9112 3.2: exactly one valid Host in HTTP/1.1, at most one before. Empty is valid only where
// the target needs no host.
Fault check_host(const RequestHead& head, ValidHost& valid) noexcept {
  const std::size_t lines = head.fields.count(FieldId::host);
  if (lines > 1) return {Refusal::bad_request, "several Host lines"};
  if (lines == 0) {
    if (head.version < Version{1, 1}) return {};
    return {Refusal::bad_request, "HTTP/1.1 without Host"};
  }
  const std::string_view host = *head.fields.find(FieldId::host);
  if (host.empty() && !head.target.starts_with('/')) return {};
  if (!host.empty() && valid.is(host)) return {};
  AuthorityParts parts;
  if (!parse_authority_parts(host, parts).empty()) {
    return {Refusal::bad_request, "a malformed Host"};
  }
  valid.remember(host);
  return {};
}

}  // namespace

class RequestParser::State final : public MessageReader {
 public:
  State(const ParserLimits& limits, HeadMemo* known)
      : MessageReader(limits), limits_(limits), known_(known) {}

  [[nodiscard]] bool in_head() const noexcept {
    return phase_ == Phase::head || (phase_ == Phase::between && blank_ == Blank::carriage_return);
  }
  [[nodiscard]] bool between_messages() const noexcept {
    return phase_ == Phase::between && blank_ != Blank::carriage_return;
  }
  [[nodiscard]] const RequestHead& head() const noexcept { return head_; }
  [[nodiscard]] const Error& error() const noexcept { return error_; }
  [[nodiscard]] Refusal refusal() const noexcept { return refusal_; }
  void release_memory();

 private:
  // RFC 9112 2.2: one empty line before the request line is ignored.
  enum class Blank : std::uint8_t { possible, carriage_return, over };

  Step begin_message(std::string_view chunk) override;
  Step read_head(std::string_view chunk, std::size_t consumed) override;
  void on_refused(const Fault& fault) override;
  Fault judge(HeadReader::Event event);
  Fault finish_head() noexcept;
  void begin_body() noexcept;

  const ParserLimits& limits_;
  HeadMemo* known_;
  KnownHeadPtr known_head_;  // that head_ points into
  RequestHead head_;
  RequestLine line_;
  ValidHost valid_host_;
  bool has_line_ = false;
  Blank blank_ = Blank::possible;
  Refusal refusal_ = Refusal::none;
  Error error_{ErrorCode::malformed, Blame::client, {}};
};

Step RequestParser::State::begin_message(std::string_view chunk) {
  std::size_t consumed = 0;
  if (blank_ == Blank::possible && chunk.starts_with('\r')) {
    blank_ = Blank::carriage_return;
    ++consumed;
  }
  if (consumed == chunk.size()) return {StepKind::need_more, consumed, {}};
  if (blank_ == Blank::carriage_return) {
    if (chunk[consumed] != '\n') {
      return refuse({Refusal::bad_request, "a CR before the request line"}, consumed);
    }
    ++consumed;
  }
  if (consumed > 0) {
    blank_ = Blank::over;
    if (consumed == chunk.size()) return {StepKind::need_more, consumed, {}};
  }
  const std::string_view rest = chunk.substr(consumed);
  if (known_ != nullptr) {
    known_head_ = known_->find(rest);
    if (known_head_ != nullptr) {
      head_ = known_head_->head;
      begin_body();
      return {StepKind::head, consumed + known_head_->text.size(), {}};
    }
  }
  phase_ = Phase::head;
  has_line_ = false;
  reader_.begin();
  const Step step = read_head(chunk, consumed);
  const bool may_be_known =
      known_ != nullptr && step.kind == StepKind::head && phase_ != Phase::tunnel;
  if (may_be_known) known_->remember(rest.substr(0, step.consumed - consumed), head_);
  return step;
}

Step RequestParser::State::read_head(std::string_view chunk, std::size_t consumed) {
  for (;;) {
    std::size_t taken = 0;
    const HeadReader::Event event = reader_.read(chunk.substr(consumed), taken);
    consumed += taken;
    const Fault fault = judge(event);
    if (fault.is_set()) return refuse(fault, consumed);
    if (event == HeadReader::Event::need_more) return {StepKind::need_more, consumed, {}};
    if (event == HeadReader::Event::complete) return {StepKind::head, consumed, {}};
  }
}

Fault RequestParser::State::judge(HeadReader::Event event) {
  if (event == HeadReader::Event::complete) return finish_head();
  if (event == HeadReader::Event::start_line) {
    has_line_ = true;
    return parse_request_line(reader_.start_line(), limits_.target_bytes_max, line_);
  }
  if (!has_line_) {
    const Fault fault = check_partial_request_line(reader_.text(), limits_.target_bytes_max);
    if (fault.is_set()) return fault;
  }
  return event == HeadReader::Event::refused ? reader_.fault() : Fault{};
}

Fault RequestParser::State::finish_head() noexcept {
  const std::string_view text = reader_.text();
  head_.method = line_.method;
  head_.method_text = text.substr(0, line_.method_size);
  head_.target = text.substr(line_.method_size + 1, line_.target_size);
  head_.version = line_.version;
  head_.fields = reader_.fields();
  Fault fault = check_host(head_, valid_host_);
  if (fault.is_set()) return fault;
  Framing framing;
  fault = explicit_framing(head_.version, head_.fields, framing);
  if (fault.is_set()) return fault;
  head_.framing = framing.kind;
  head_.content_length = framing.length;
  head_.keep_alive = keeps_alive(head_.version, head_.fields);
  // RFC 9110 9.3.6: what follows the head is tunnel data, so a body of its own would be in doubt.
  if (head_.method == Method::connect && head_.has_body()) {
    return {Refusal::bad_request, "CONNECT with a body"};
  }
  begin_body();
  return {};
}

// What follows the head.
void RequestParser::State::begin_body() noexcept {
  body_.begin({.kind = head_.framing, .length = head_.content_length});
  blank_ = Blank::possible;
  if (head_.method == Method::connect) {
    phase_ = Phase::tunnel;
  } else if (head_.has_body()) {
    phase_ = Phase::body;
  } else {
    phase_ = Phase::between;
  }
}

void RequestParser::State::on_refused(const Fault& fault) {
  refusal_ = fault.refusal;
  error_ = {code_of(fault.refusal), Blame::client, std::string(fault.reason)};
}

void RequestParser::State::release_memory() {
  if (!between_messages()) return;
  blank_ = Blank::possible;
  reader_.release_memory();
  body_.release_memory();
  head_ = {};
  known_head_.reset();
}

RequestParser::RequestParser(const ParserLimits& limits, HeadMemo* known)
    : state_(std::make_unique<State>(limits, known)) {}
RequestParser::~RequestParser() = default;

Step RequestParser::feed(std::string_view chunk) { return state_->feed(chunk); }
const RequestHead& RequestParser::head() const noexcept { return state_->head(); }
const Error& RequestParser::error() const noexcept { return state_->error(); }
Refusal RequestParser::refusal() const noexcept { return state_->refusal(); }
bool RequestParser::in_head() const noexcept { return state_->in_head(); }
bool RequestParser::between_messages() const noexcept { return state_->between_messages(); }
FieldsView RequestParser::trailers() const noexcept { return state_->trailers(); }
void RequestParser::release_memory() { state_->release_memory(); }

}  // namespace revcache::http
