// Dictionary Structured Fields (RFC 8941 section 3.2), as far as CDN-Cache-Control needs them:
// keys, and values of every type, of which booleans, integers, strings and tokens are told apart.
// Parameters are checked and dropped. Strict: one fault makes the whole field invalid (section
// 4.2). Pure; internal to http/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace revcache::http {

enum class ItemType : std::uint8_t { boolean, integer, string, token, other };

struct DictionaryMember {
  std::string_view key;  // a view into the text
  ItemType type = ItemType::boolean;
  bool boolean = true;
  std::int64_t integer = 0;
  std::string text;  // of a string (unescaped) or a token
};

inline constexpr std::size_t kDictionaryMembersMax = 64;

// Members in order; of a key that comes twice the last value counts (section 4.2.2). nullopt when
// `text` is no Dictionary or has more members than the limit; an empty one has no members.
std::optional<std::vector<DictionaryMember>> parse_dictionary(std::string_view text);

}  // namespace revcache::http
