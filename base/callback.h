// A move-only completion callback: the last parameter of whatever waits. It runs exactly once, on
// the loop that asked, and never before the call that took it has returned.
#pragma once

#include <functional>

namespace revcache {

template <class... Args>
using Callback = std::move_only_function<void(Args...)>;

}  // namespace revcache
