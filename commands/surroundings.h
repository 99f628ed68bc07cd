// What a command that looks at evidence needs besides its arguments. All outlive the command.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>

#include "base/clock.h"
#include "commands/http_client.h"

namespace revcache::commands {

struct Surroundings {
  const Clock& clock;
  HttpClient* http;  // null: nothing can be fetched
  std::uint64_t hash_seed;
  std::ostream& out;
  std::ostream& err;
  bool colour = false;    // `out` is a terminal
  bool progress = false;  // `err` is one
  bool terminal = false;  // `out` is one
  // Lets that much time pass; false: the command is to end. nullptr: it ends at once.
  std::function<bool(std::chrono::milliseconds)> wait{};
};

}  // namespace revcache::commands
