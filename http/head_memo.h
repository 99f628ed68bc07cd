// Heads of requests that came before, byte for byte. Clients of a revocation cache send the same
// few heads again and again, and reading one anew is most of what a hit would cost.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace revcache::http {

// A head that the parser has accepted, with all that it found. Immutable.
struct KnownHead {
  KnownHead(std::string_view whole, const RequestHead& parsed);
  KnownHead(const KnownHead&) = delete;
  KnownHead& operator=(const KnownHead&) = delete;

  std::string text;           // with its empty line
  std::vector<Field> fields;  // views into `text`, as those of `head`
  RequestHead head;
};
using KnownHeadPtr = std::shared_ptr<const KnownHead>;

// For the parsers of one thread, all with the same limits. No head is the beginning of another one,
// so what begins with a known head would be read as that head.
class HeadMemo {
 public:
  static constexpr std::size_t kSets = 64;
  static constexpr std::size_t kWays = 2;
  static constexpr std::size_t kHeadBytesMax = 1024;  // longer ones are read each time

  HeadMemo() = default;
  HeadMemo(const HeadMemo&) = delete;
  HeadMemo& operator=(const HeadMemo&) = delete;

  // The known head that `chunk` begins with; nullptr: none.
  [[nodiscard]] KnownHeadPtr find(std::string_view chunk) noexcept;
  // `whole`: a head just read, into which the views of `parsed` point. It is kept when it comes for
  // the second time, unless it is too long or has credentials.
  void remember(std::string_view whole, const RequestHead& parsed);

 private:
  struct Set {
    std::array<KnownHeadPtr, kWays> ways;
    std::uint64_t seen = 0;   // hash of a head that came once
    std::uint8_t oldest = 0;  // the way that was found less lately
  };
  std::array<Set, kSets> sets_;
};

}  // namespace revcache::http
