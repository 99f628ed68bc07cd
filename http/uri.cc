#include "http/uri.h"

#include <algorithm>
#include <array>
#include <utility>

#include "http/authority.h"
#include "http/characters.h"
#include "http/message.h"

namespace revcache::http {
namespace {

std::unexpected<Error> malformed(std::string_view reason) {
  return fail(ErrorCode::malformed, Blame::client, std::string(reason));
}

// Takes "scheme:" off the front; nullopt when there is none (RFC 3986 3.1).
std::optional<std::string_view> take_scheme(std::string_view& text) noexcept {
  const std::size_t colon = find_first_in(text, ":/?#");
  if (colon == text.size() || colon == 0 || text[colon] != ':') return std::nullopt;
  const std::string_view scheme = text.substr(0, colon);
  const bool is_scheme = !is_digit(scheme.front()) && std::ranges::all_of(scheme, [](char c) {
    return characters::contains("+-.", c) || (is_in(CharacterClass::host, c) && c != '_');
  });
  if (!is_scheme) return std::nullopt;
  text.remove_prefix(colon + 1);
  return scheme;
}

std::optional<Scheme> known_scheme(std::string_view name) noexcept {
  if (equals_ignoring_case(name, "http")) return Scheme::http;
  if (equals_ignoring_case(name, "https")) return Scheme::https;
  return std::nullopt;
}

// Why `path` (path and query) cannot be one; empty when it can.
std::string_view path_fault(std::string_view path) noexcept {
  if (all_in(CharacterClass::target, path)) return {};
  return path.contains('#') ? "a fragment in a request target" : "a character that no URI may hold";
}

// Writes the normal form to `storage`. `path` may be empty or begin with "?".
UriView compose(Scheme scheme, const AuthorityParts& parts, std::string_view path,
                std::string& storage) {
  UriView view;
  view.scheme = scheme;
  view.ip = parts.ip;
  view.port = parts.port.value_or(default_port(scheme));
  storage.clear();
  storage += to_string(scheme);
  storage += "://";
  const std::size_t authority_at = storage.size();
  const bool bracketed = parts.ip && !parts.ip->is_v4();
  if (bracketed) storage += '[';
  const std::size_t host_at = storage.size();
  append_host(parts, storage);
  const std::size_t host_size = storage.size() - host_at;
  if (bracketed) storage += ']';
  if (view.port != default_port(scheme)) append_port(view.port, storage);
  const std::size_t path_at = storage.size();
  if (!path.starts_with('/')) storage += '/';
  storage += path;

  view.text = storage;
  view.host = view.text.substr(host_at, host_size);
  view.authority = view.text.substr(authority_at, path_at - authority_at);
  view.path = view.text.substr(path_at);
  return view;
}

// What follows "scheme:" when it begins with "//".
Result<UriView> parse_hier_part(Scheme scheme, std::string_view text, std::string& storage) {
  if (!text.starts_with("//")) return malformed("no authority in an absolute URI");
  text.remove_prefix(2);
  const std::size_t authority_end = find_first_in(text, "/?#");
  AuthorityParts parts;
  const std::string_view fault = parse_authority_parts(text.substr(0, authority_end), parts);
  if (!fault.empty()) return malformed(fault);
  const std::string_view path = text.substr(authority_end);
  const std::string_view unfit = path_fault(path);
  if (!unfit.empty()) return malformed(unfit);
  return compose(scheme, parts, path, storage);
}

// RFC 3986 5.2.4, on a path that begins with "/".
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    const bool last = path.empty();
    if (segment == "/..") {
      out.resize(out.empty() ? 0 : out.rfind('/'));
    } else if (segment != "/.") {
      out += segment;
      continue;
    }
    if (last) out += '/';
  }
  return out;
}

struct PathAndQuery {
  std::string_view path;
  std::string_view query;  // with its "?", or empty
};

PathAndQuery split_query(std::string_view text) noexcept {
  const std::size_t mark = std::min(text.find('?'), text.size());
  return {text.substr(0, mark), text.substr(mark)};
}

// RFC 3986 5.2.2 for a reference without scheme and authority, and 5.2.3 (merge).
std::string resolve_path(std::string_view base, std::string_view reference) {
  const PathAndQuery from = split_query(base);
  const PathAndQuery to = split_query(reference);
  if (to.path.empty()) {
    std::string path(from.path);
    path += to.query.empty() ? from.query : to.query;
    return path;
  }
  std::string merged;
  if (!to.path.starts_with('/')) merged = from.path.substr(0, from.path.rfind('/') + 1);
  merged += to.path;
  return without_dot_segments(merged).append(to.query);
}

Result<Uri> with_path(const UriView& base, const std::string& path) {
  const std::string_view unfit = path_fault(path);
  if (!unfit.empty()) return malformed(unfit);
  std::string text(to_string(base.scheme));
  text.append("://").append(base.authority).append(path);
  std::string storage;
  const auto view = parse_absolute_form(text, storage);
  if (!view) return std::unexpected(view.error());
  return Uri(*view);
}

}  // namespace

std::string_view to_string(Scheme scheme) noexcept {
  return scheme == Scheme::http ? "http" : "https";
}

std::uint16_t default_port(Scheme scheme) noexcept { return scheme == Scheme::http ? 80 : 443; }

Uri::Uri(const UriView& view)
    : text_(view.text),
      host_(view.host),
      scheme_(view.scheme),
      ip_(view.ip),
      port_(view.port),
      authority_at_(static_cast<std::uint16_t>(view.authority.data() - view.text.data())),
      path_at_(static_cast<std::uint16_t>(view.path.data() - view.text.data())) {}

UriView Uri::view() const noexcept {
  UriView view;
  view.scheme = scheme_;
  view.text = text_;
  view.host = host_;
  view.ip = ip_;
  view.port = port_;
  view.path = path();
  view.authority = authority();
  return view;
}

std::string_view Uri::path() const noexcept { return std::string_view(text_).substr(path_at_); }

std::string_view Uri::authority() const noexcept {
  return std::string_view(text_).substr(authority_at_, std::size_t{path_at_} - authority_at_);
}

Result<UriView> parse_absolute_form(std::string_view target, std::string& storage) {
  const auto scheme_name = take_scheme(target);
  if (!scheme_name) return malformed("no scheme in an absolute URI");
  const auto scheme = known_scheme(*scheme_name);
  if (!scheme) return malformed("a scheme other than http and https");
  return parse_hier_part(*scheme, target, storage);
}

Result<UriView> from_origin_form(std::string_view target, std::string_view host_value,
                                 Scheme scheme, std::string& storage) {
  if (!target.starts_with('/')) return malformed("a request target that is no path");
  const std::string_view unfit = path_fault(target);
  if (!unfit.empty()) return malformed(unfit);
  AuthorityParts parts;
  const std::string_view fault = parse_authority_parts(host_value, parts);
  if (!fault.empty()) return malformed(fault);
  return compose(scheme, parts, target, storage);
}

Result<Uri> resolve_reference(const Uri& base, std::string_view reference) {
  reference = reference.substr(0, reference.find('#'));
  const UriView base_view = base.view();
  std::string_view rest = reference;
  Scheme scheme = base_view.scheme;
  if (const auto scheme_name = take_scheme(rest)) {
    const auto known = known_scheme(*scheme_name);
    if (!known) return malformed("a scheme other than http and https");
    if (!rest.starts_with("//")) return malformed("no authority in an absolute URI");
    scheme = *known;
  }
  if (!rest.starts_with("//")) return with_path(base_view, resolve_path(base_view.path, rest));

  std::string storage;
  const auto view = parse_hier_part(scheme, rest, storage);
  if (!view) return std::unexpected(view.error());
  const PathAndQuery parts = split_query(view->path);
  return with_path(*view, without_dot_segments(parts.path).append(parts.query));
}

Result<Authority> parse_authority(std::string_view text) {
  AuthorityParts parts;
  const std::string_view fault = parse_authority_parts(text, parts);
  if (!fault.empty()) return malformed(fault);
  Authority authority;
  append_host(parts, authority.host);
  authority.ip = parts.ip;
  authority.port = parts.port;
  return authority;
}

}  // namespace revcache::http
