#include "net/gate.h"

#include "base/check.h"

namespace revcache::net {

Gate::~Gate() { CHECK(in_flight_ == 0); }

Gate::Pass Gate::enter() noexcept {
  ++in_flight_;
  return Pass(*this);
}

void Gate::when_idle(Callback<> on_idle) {
  on_idle_ = std::move(on_idle);
  tell_if_idle();
}

void Gate::leave() {
  CHECK(in_flight_ > 0);
  --in_flight_;
  tell_if_idle();
}

void Gate::tell_if_idle() {
  if (in_flight_ == 0 && on_idle_) executor_.post(std::exchange(on_idle_, nullptr));
}

}  // namespace revcache::net
