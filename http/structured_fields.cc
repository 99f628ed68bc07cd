// sf-dictionary = dict-member *( OWS "," OWS dict-member )
// dict-member   = key ( parameters / ( "=" ( item / inner-list ) ) )
// inner-list    = "(" *SP [ item *( 1*SP item ) *SP ] ")" parameters
// item          = ( integer / decimal / string / token / binary / boolean ) parameters
// parameters    = *( ";" *SP key [ "=" bare-item ] )
#include "http/structured_fields.h"

#include <algorithm>
#include <utility>

#include "http/characters.h"

namespace revcache::http {
namespace {

constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_alpha(char c) noexcept { return is_lower(to_lower(c)); }

// Reads from the front of a text; every function is false or nullopt on a fault.
class DictionaryReader {
 public:
  explicit DictionaryReader(std::string_view text) noexcept : rest_(text) {}

  std::optional<std::vector<DictionaryMember>> read();

 private:
  bool read_member(std::vector<DictionaryMember>& members);
  bool read_key(std::string_view& key) noexcept;
  bool read_value(DictionaryMember& member);
  bool read_bare_item(DictionaryMember& item);
  bool read_number(DictionaryMember& item) noexcept;
  bool read_string(DictionaryMember& item);
  bool read_token(DictionaryMember& item);
  bool read_binary() noexcept;
  bool read_boolean(DictionaryMember& item) noexcept;
  bool read_inner_list();
  bool read_parameters();

  bool take(char c) noexcept {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip(std::string_view set) noexcept {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(set), rest_.size()));
  }
  template <class Predicate>
  std::string_view take_while(Predicate predicate) noexcept {
    const auto* const end = std::ranges::find_if_not(rest_, predicate);
    const auto size = static_cast<std::size_t>(end - rest_.begin());
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

std::optional<std::vector<DictionaryMember>> DictionaryReader::read() {
  std::vector<DictionaryMember> members;
  skip(" ");
  while (!rest_.empty()) {
    if (!read_member(members) || members.size() > kDictionaryMembersMax) return std::nullopt;
    skip(" \t");
    if (rest_.empty()) break;
    if (!take(',')) return std::nullopt;
    skip(" \t");
    if (rest_.empty()) return std::nullopt;  // a trailing comma
  }
  return members;
}

bool DictionaryReader::read_member(std::vector<DictionaryMember>& members) {
  DictionaryMember member;
  if (!read_key(member.key)) return false;
  if (take('=')) {
    if (!read_value(member)) return false;
  } else if (!read_parameters()) {
    return false;
  }
  const auto earlier = std::ranges::find(members, member.key, &DictionaryMember::key);
  if (earlier != members.end()) {
    *earlier = std::move(member);
  } else {
    members.push_back(std::move(member));
  }
  return true;
}

bool DictionaryReader::read_key(std::string_view& key) noexcept {
  if (rest_.empty() || !(is_lower(rest_.front()) || rest_.front() == '*')) return false;
  key = take_while(
      [](char c) { return is_lower(c) || is_digit(c) || characters::contains("_-.*", c); });
  return true;
}

bool DictionaryReader::read_value(DictionaryMember& member) {
  if (!rest_.starts_with('(')) return read_bare_item(member) && read_parameters();
  member.type = ItemType::other;
  return read_inner_list() && read_parameters();
}

bool DictionaryReader::read_bare_item(DictionaryMember& item) {
  if (rest_.empty()) return false;
  const char first = rest_.front();
  if (first == '-' || is_digit(first)) return read_number(item);
  if (first == '"') return read_string(item);
  if (first == '*' || is_alpha(first)) return read_token(item);
  if (first == '?') return read_boolean(item);
  item.type = ItemType::other;
  return first == ':' && read_binary();
}

// At most 15 digits, or 12 before and 1 to 3 behind the point (section 3.3.2).
bool DictionaryReader::read_number(DictionaryMember& item) noexcept {
  const bool negative = take('-');
  const std::string_view whole = take_while(is_digit);
  if (whole.empty() || whole.size() > 15) return false;
  if (take('.')) {
    const std::string_view fraction = take_while(is_digit);
    item.type = ItemType::other;
    return whole.size() <= 12 && !fraction.empty() && fraction.size() <= 3;
  }
  item.type = ItemType::integer;
  for (const char c : whole) item.integer = item.integer * 10 + (c - '0');
  if (negative) item.integer = -item.integer;
  return true;
}

bool DictionaryReader::read_string(DictionaryMember& item) {
  item.type = ItemType::string;
  take('"');
  while (!rest_.empty()) {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == '"') return true;
    if (c < 0x20 || c > 0x7e) return false;
    if (c != '\\') {
      item.text += c;
      continue;
    }
    if (!rest_.starts_with('"') && !rest_.starts_with('\\')) return false;
    item.text += rest_.front();
    rest_.remove_prefix(1);
  }
  return false;
}

bool DictionaryReader::read_token(DictionaryMember& item) {
  item.type = ItemType::token;
  item.text =
      take_while([](char c) { return c == ':' || c == '/' || is_in(CharacterClass::token, c); });
  return true;
}

bool DictionaryReader::read_binary() noexcept {
  take(':');
  take_while([](char c) { return is_alpha(c) || is_digit(c) || characters::contains("+/=", c); });
  return take(':');
}

bool DictionaryReader::read_boolean(DictionaryMember& item) noexcept {
  take('?');
  item.type = ItemType::boolean;
  item.boolean = take('1');
  return item.boolean || take('0');
}

bool DictionaryReader::read_inner_list() {
  take('(');
  for (;;) {
    skip(" ");
    if (take(')')) return true;
    DictionaryMember ignored;
    if (!read_bare_item(ignored) || !read_parameters()) return false;
    if (!rest_.starts_with(' ') && !rest_.starts_with(')')) return false;
  }
}

bool DictionaryReader::read_parameters() {
  while (take(';')) {
    skip(" ");
    std::string_view key;
    if (!read_key(key)) return false;
    DictionaryMember ignored;
    if (take('=') && !read_bare_item(ignored)) return false;
  }
  return true;
}

}  // namespace

std::optional<std::vector<DictionaryMember>> parse_dictionary(std::string_view text) {
  return DictionaryReader(text).read();
}

}  // namespace revcache::http
