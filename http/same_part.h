// A view into one copy of a text, as a view into another.
#pragma once

#include <cstddef>
#include <string_view>

namespace revcache::http {

// `part` lies in `from`; `to` is a copy of that. An empty part stays empty, wherever it points.
inline std::string_view same_part(std::string_view part, std::string_view from,
                                  std::string_view to) noexcept {
  if (part.empty()) return {};
  return to.substr(static_cast<std::size_t>(part.data() - from.data()), part.size());
}

}  // namespace revcache::http
