// Counts the allocations of the test program, for tests of what must not allocate.
#pragma once

#include <cstddef>

namespace revcache::http {

// Calls of operator new so far, on this thread.
std::size_t allocations() noexcept;

}  // namespace revcache::http
