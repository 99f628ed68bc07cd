#include "base/random_seed.h"

#include <random>

namespace revcache {

std::uint64_t draw_random_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32U | device();
}

}  // namespace revcache
