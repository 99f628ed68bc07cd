#include "http/message_reader.h"

namespace revcache::http {

Step MessageReader::feed(std::string_view chunk) {
  switch (phase_) {
    case Phase::between:
    case Phase::before:
      return begin_message(chunk);
    case Phase::head:
      return read_head(chunk, 0);
    case Phase::body:
      return read_body(chunk);
    case Phase::tunnel:
      return {};
    case Phase::failed:
      break;
  }
  return {StepKind::malformed, 0, {}};
}

Step MessageReader::read_body(std::string_view chunk) {
  const Step step = body_.feed(chunk);
  if (step.kind == StepKind::malformed) return refuse(body_.fault(), step.consumed);
  if (step.kind == StepKind::end) phase_ = Phase::between;
  return step;
}

Step MessageReader::refuse(const Fault& fault, std::size_t consumed) {
  phase_ = Phase::failed;
  on_refused(fault);
  return {StepKind::malformed, consumed, {}};
}

}  // namespace revcache::http
