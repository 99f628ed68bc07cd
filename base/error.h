// What can go wrong, in few and coarse words. Whoever decides what a failure means logs and counts
// it once; everybody else passes it on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace revcache {

// Whose fault it is: decides status code, retry and metric label.
enum class Blame : std::uint8_t { client, upstream, local };

enum class ErrorCode : std::uint8_t {
  malformed,      // does not follow its grammar, or is ambiguous
  too_large,      // over a named limit
  refused,        // forbidden by configuration
  timed_out,      // a deadline passed
  untrusted,      // a signature, chain or TLS peer does not verify
  overloaded,     // a bounded queue is full
  corrupt,        // stored bytes do not match their checksum
  unreachable,    // no address, or no connection
  disconnected,   // the peer closed or reset the connection too early
  loop_detected,  // the request has been here before
  unsupported,    // understood, but not offered here
};

struct Error {
  ErrorCode code;
  Blame blame;
  std::string detail;  // for the log, never for the wire
};

// The enumerator's own name, e.g. "timed_out". Static storage.
std::string_view to_string(ErrorCode code) noexcept;
std::string_view to_string(Blame blame) noexcept;

}  // namespace revcache
