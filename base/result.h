// Result<T>: a value or the reason why there is none. "Not there" is a value (std::optional), not
// an error.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "base/error.h"

namespace revcache {

template <class T>
using Result = std::expected<T, Error>;

// `return fail(ErrorCode::malformed, Blame::client, "…");`
inline std::unexpected<Error> fail(ErrorCode code, Blame blame, std::string detail) {
  return std::unexpected<Error>(Error{code, blame, std::move(detail)});
}

// Passes on the error of another Result.
template <class T>
std::unexpected<Error> fail(Result<T>&& failed) {
  return std::unexpected<Error>(std::move(failed).error());
}

}  // namespace revcache
