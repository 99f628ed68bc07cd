#include "revocation/held_answer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "pki/crl_index.h"

namespace revcache::revocation {

namespace {

std::string_view serial_of(const HeldAnswerPtr& answer) { return answer->serial; }

}  // namespace

HeldAnswerPtr HeldAnswers::find(ByteView serial) const {
  const auto wanted = as_text(pki::significant_octets(serial));
  const auto found = std::ranges::lower_bound(answers_, wanted, {}, serial_of);
  return found != answers_.end() && (*found)->serial == wanted ? *found : nullptr;
}

HeldAnswers HeldAnswers::with(HeldAnswer answer, std::size_t answers_max, WallTime now) const {
  HeldAnswers next = *this;
  auto& all = next.answers_;
  std::erase_if(all, [now](const HeldAnswerPtr& held) { return now >= held->next_update; });
  const auto there = std::ranges::lower_bound(all, std::string_view(answer.serial), {}, serial_of);
  const bool is_there = there != all.end() && (*there)->serial == answer.serial;
  if (now >= answer.next_update) return next;
  if (is_there && (*there)->this_update > answer.this_update) return next;
  auto held = std::make_shared<const HeldAnswer>(std::move(answer));
  if (is_there) {
    *there = std::move(held);
  } else {
    all.insert(there, std::move(held));
  }
  if (all.size() > answers_max) {
    all.erase(std::ranges::min_element(
        all, {}, [](const HeldAnswerPtr& candidate) { return candidate->next_update; }));
  }
  return next;
}

HeldAnswers HeldAnswers::without(ByteView serial) const {
  HeldAnswers next = *this;
  const auto unwanted = as_text(pki::significant_octets(serial));
  std::erase_if(next.answers_,
                [unwanted](const HeldAnswerPtr& held) { return held->serial == unwanted; });
  return next;
}

}  // namespace revcache::revocation
