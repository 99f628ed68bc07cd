// The machine's source of chance. Drawn from once at start; whatever needs chance is given a seed.
#pragma once

#include <cstdint>

namespace revcache {

// 64 unpredictable bits. Any thread. Throws std::exception when the system has no such source.
std::uint64_t draw_random_seed();

}  // namespace revcache
