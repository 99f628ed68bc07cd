// Text for people. What certificates and servers say is not to be trusted with a terminal: escape
// sequences, line breaks and signs that turn the direction of writing are shown, not obeyed. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace revcache::commands {

// Keeps printable UTF-8. Control characters (C0, DEL, C1), octets that are no UTF-8, bidirectional
// and invisible formatting characters become "\x1b" or "\u{202e}".
std::string printable(std::string_view text);

enum class Style : std::uint8_t { plain, bold, dim, good, bad, caution };

// `text` in a colour if `colour`; it must be printable already.
std::string styled(std::string_view text, Style style, bool colour);

// Breaks lines at spaces so that none is longer than `width` with its indent; each begins with
// `indent` spaces, the first is not indented. No final line break.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width = 100);

}  // namespace revcache::commands
