// Cache-Control = [ cache-directive *( OWS "," OWS cache-directive ) ]
// cache-directive = token [ "=" ( token / quoted-string ) ]
// Taken more widely: empty list elements, whitespace around "=" (CryptoAPI sends `max-age = 3600`),
// either form of argument for every directive, unknown directives. An element that is no directive
// at all is skipped.
#include "http/cache_control.h"

#include <algorithm>
#include <cstddef>

#include "http/characters.h"
#include "http/serializer.h"
#include "http/structured_fields.h"

namespace revcache::http {
namespace {

struct Directive {
  std::string_view name;
  std::optional<std::string_view> argument;  // without quotes, escapes still in place
};

std::optional<Directive> parse_directive(std::string_view element) noexcept {
  const std::size_t equals = element.find('=');
  Directive directive;
  directive.name = trim(element.substr(0, equals));
  if (!is_token(directive.name)) return std::nullopt;
  if (equals == std::string_view::npos) return directive;
  std::string_view argument = trim(element.substr(equals + 1));
  if (argument.starts_with('"')) {
    // Unterminated, or with something behind it: what is meant is in doubt.
    const bool closed = quoted_string_end(argument) == argument.size();
    argument = closed ? argument.substr(1, argument.size() - 2) : std::string_view{};
  }
  directive.argument = argument;
  return directive;
}

// True if `element` has a quoted-string that is not closed.
bool has_open_quote(std::string_view element) noexcept {
  for (std::size_t at = element.find('"'); at != std::string_view::npos;
       at = element.find('"', at)) {
    const std::size_t length = quoted_string_end(element.substr(at));
    if (length == std::string_view::npos) return true;
    at += length;
  }
  return false;
}

// A quote that is never closed must not hide the directives behind it: it separates nothing.
template <class Visit>
void for_each_between_commas(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto directive = parse_directive(trim(text.substr(0, comma)));
    if (directive) visit(*directive);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
}

template <class Visit>
void for_each_directive(const FieldsView& fields, Visit visit) {
  for (const Field& field : fields) {
    if (field.id != FieldId::cache_control) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::string_view element = next_element(rest);
      if (rest.empty() && has_open_quote(element)) {
        for_each_between_commas(element, visit);
        break;
      }
      const auto directive = parse_directive(element);
      if (directive) visit(*directive);
    }
  }
}

// delta-seconds = 1*DIGIT (RFC 9111 1.2.2).
std::optional<Seconds> parse_delta(std::optional<std::string_view> text) noexcept {
  if (!text || text->empty()) return std::nullopt;
  Seconds::rep value = 0;
  for (const char c : *text) {
    if (!is_digit(c)) return std::nullopt;
    value = std::min(value * 10 + (c - '0'), kDeltaSecondsMax.count());
  }
  return Seconds{value};
}

void keep_smaller(std::optional<Seconds>& kept, std::optional<Seconds> value) noexcept {
  if (value && (!kept || *value < *kept)) kept = value;
}

void keep_larger(std::optional<Seconds>& kept, std::optional<Seconds> value) noexcept {
  if (value && (!kept || *value > *kept)) kept = value;
}

struct RequestFlag {
  std::string_view name;
  bool RequestDirectives::* member;
};
constexpr RequestFlag kRequestFlags[] = {
    {"no-cache", &RequestDirectives::no_cache},
    {"no-store", &RequestDirectives::no_store},
    {"no-transform", &RequestDirectives::no_transform},
    {"only-if-cached", &RequestDirectives::only_if_cached},
};

// RFC 9111 4.2.1: of values that conflict the most restrictive counts. A malformed one asks for
// nothing that could be obeyed.
void apply(RequestDirectives& directives, const Directive& directive) noexcept {
  const auto is = [&](std::string_view name) { return equals_ignoring_case(directive.name, name); };
  for (const RequestFlag& flag : kRequestFlags) {
    if (is(flag.name)) directives.*flag.member = true;
  }
  if (is("max-age")) keep_smaller(directives.max_age, parse_delta(directive.argument));
  if (is("min-fresh")) keep_larger(directives.min_fresh, parse_delta(directive.argument));
  if (is("stale-if-error")) {
    keep_smaller(directives.stale_if_error, parse_delta(directive.argument));
  }
  if (is("max-stale")) {
    const auto value = directive.argument ? parse_delta(directive.argument) : kDeltaSecondsMax;
    keep_smaller(directives.max_stale, value);
  }
}

struct ResponseFlag {
  std::string_view name;
  bool ResponseDirectives::* member;
};
constexpr ResponseFlag kResponseFlags[] = {
    {"no-store", &ResponseDirectives::no_store},
    {"public", &ResponseDirectives::public_},
    {"must-revalidate", &ResponseDirectives::must_revalidate},
    {"proxy-revalidate", &ResponseDirectives::proxy_revalidate},
    {"must-understand", &ResponseDirectives::must_understand},
    {"no-transform", &ResponseDirectives::no_transform},
    {"immutable", &ResponseDirectives::immutable},
};

// RFC 9111 4.2.1: invalid freshness information makes a response stale.
void apply_freshness(std::optional<Seconds>& kept, std::optional<Seconds> value,
                     bool& invalid) noexcept {
  if (!value || (kept && *kept != *value)) invalid = true;
  keep_smaller(kept, value);
}

// RFC 9111 5.2.2.4 and 5.2.2.7: with field names the directive speaks of those fields only. What
// names no fields, or something that is no field name, is taken as unqualified: that is safe.
void apply_qualified(std::optional<std::string_view> argument, bool& unqualified,
                     std::vector<std::string>& names) {
  std::vector<std::string> named;
  std::string_view rest = argument.value_or("");
  while (!rest.empty()) {
    const std::string_view name = next_element(rest);
    if (name.empty()) continue;
    if (!is_token(name)) {
      named.clear();
      break;
    }
    named.emplace_back(name);
  }
  if (named.empty()) unqualified = true;
  names.insert(names.end(), named.begin(), named.end());
}

void apply(ResponseDirectives& directives, const Directive& directive) {
  const auto is = [&](std::string_view name) { return equals_ignoring_case(directive.name, name); };
  for (const ResponseFlag& flag : kResponseFlags) {
    if (is(flag.name)) directives.*flag.member = true;
  }
  if (is("no-cache")) {
    apply_qualified(directive.argument, directives.no_cache, directives.no_cache_fields);
  } else if (is("private")) {
    apply_qualified(directive.argument, directives.private_, directives.private_fields);
  } else if (is("max-age")) {
    apply_freshness(directives.max_age, parse_delta(directive.argument),
                    directives.invalid_freshness);
  } else if (is("s-maxage")) {
    apply_freshness(directives.s_maxage, parse_delta(directive.argument),
                    directives.invalid_freshness);
  } else if (is("stale-while-revalidate")) {
    keep_smaller(directives.stale_while_revalidate, parse_delta(directive.argument));
  } else if (is("stale-if-error")) {
    keep_smaller(directives.stale_if_error, parse_delta(directive.argument));
  }
}

// The member as Cache-Control would say it; nullopt for `no-store=?0`. RFC 9213 2.1: a value of a
// type that the directive does not have is not to be consumed: its text is then no argument that
// any directive understands.
std::optional<Directive> as_directive(const DictionaryMember& member, std::string& digits) {
  Directive directive{member.key, std::nullopt};
  switch (member.type) {
    case ItemType::boolean:
      if (!member.boolean) return std::nullopt;
      return directive;
    case ItemType::integer:
      digits = std::to_string(member.integer);
      directive.argument = digits;
      return directive;
    case ItemType::string: {
      const bool takes_names = member.key == "no-cache" || member.key == "private";
      directive.argument = takes_names ? std::string_view(member.text) : std::string_view{};
      return directive;
    }
    case ItemType::token:
    case ItemType::other:
      break;
  }
  directive.argument = std::string_view{};
  return directive;
}

// RFC 9213 2.2: an empty or invalid field counts as absent; a valid one makes Cache-Control and
// Expires count as absent.
std::optional<ResponseDirectives> parse_cdn_cache_control(const FieldsView& fields) {
  const auto text = fields.combined(FieldId::cdn_cache_control);
  if (!text) return std::nullopt;
  const auto members = parse_dictionary(*text);
  if (!members || members->empty()) return std::nullopt;
  ResponseDirectives directives;
  directives.from_cdn_cache_control = true;
  for (const DictionaryMember& member : *members) {
    std::string digits;
    const auto directive = as_directive(member, digits);
    if (directive) apply(directives, *directive);
  }
  return directives;
}

}  // namespace

RequestDirectives parse_request_directives(const FieldsView& fields) {
  constexpr std::uint64_t kRelevant =
      FieldsView::bit(FieldId::cache_control) | FieldsView::bit(FieldId::pragma);
  RequestDirectives directives;
  if (!fields.has_any(kRelevant)) return directives;
  if (!fields.has(FieldId::cache_control)) {
    // RFC 9111 5.4.
    for (const Field& field : fields) {
      const bool asks = field.id == FieldId::pragma && list_has_token(field.value, "no-cache");
      directives.no_cache = directives.no_cache || asks;
    }
    return directives;
  }
  for_each_directive(fields, [&](const Directive& directive) { apply(directives, directive); });
  return directives;
}

ResponseDirectives parse_response_directives(const FieldsView& fields) {
  auto targeted = parse_cdn_cache_control(fields);
  if (targeted) return *std::move(targeted);
  ResponseDirectives directives;
  if (!fields.has(FieldId::cache_control)) return directives;
  for_each_directive(fields, [&](const Directive& directive) { apply(directives, directive); });
  return directives;
}

}  // namespace revcache::http
