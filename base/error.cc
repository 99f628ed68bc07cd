#include "base/error.h"

namespace revcache {

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::malformed:
      return "malformed";
    case ErrorCode::too_large:
      return "too_large";
    case ErrorCode::refused:
      return "refused";
    case ErrorCode::timed_out:
      return "timed_out";
    case ErrorCode::untrusted:
      return "untrusted";
    case ErrorCode::overloaded:
      return "overloaded";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::unreachable:
      return "unreachable";
    case ErrorCode::disconnected:
      return "disconnected";
    case ErrorCode::loop_detected:
      return "loop_detected";
    case ErrorCode::unsupported:
      return "unsupported";
  }
  return "unknown";
}

std::string_view to_string(Blame blame) noexcept {
  switch (blame) {
    case Blame::client:
      return "client";
    case Blame::upstream:
      return "upstream";
    case Blame::local:
      return "local";
  }
  return "unknown";
}

}  // namespace revcache
