#include "admin/page_files.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace revcache::admin {
namespace {

constexpr std::string_view kPrefix = "/page/";
constexpr std::string_view kIndex = "index.html";

// Trusted types: text of the API cannot become markup, even by a mistake of a script.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTypes{{
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
}};

std::string_view type_of(std::string_view name) {
  for (const auto& [suffix, type] : kTypes) {
    if (name.ends_with(suffix)) return type;
  }
  return kPlainText;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// If-None-Match = "*" / #entity-tag, by weak comparison (RFC 9110 13.1.2). Ours have no comma, so
// that a list may be split at each.
bool lists(std::string_view condition, std::string_view etag) {
  while (!condition.empty()) {
    const auto comma = condition.find(',');
    std::string_view one = trimmed(condition.substr(0, comma));
    if (one == "*") return true;
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == etag) return true;
    condition.remove_prefix(comma == std::string_view::npos ? condition.size() : comma + 1);
  }
  return false;
}

bool is_known(const http::RequestHead& head, std::string_view etag) {
  return std::ranges::any_of(head.fields, [etag](const http::Field& field) {
    return field.id == http::FieldId::if_none_match && lists(field.value, etag);
  });
}

}  // namespace

bool is_page_path(std::string_view path) noexcept {
  return path == "/" || path.starts_with(kPrefix);
}

std::optional<Answer> page_file_answer(std::string_view path, const http::RequestHead& head) {
  if (!is_page_path(path)) return std::nullopt;
  const std::string_view name = path == "/" ? kIndex : path.substr(kPrefix.size());
  const auto files = embedded_files();
  const auto file = std::ranges::find(files, name, &EmbeddedFile::name);
  if (file == files.end()) return std::nullopt;
  Answer answer{.content_type = type_of(name), .cache_control = "no-cache", .body = {}};
  answer.fields = {{"ETag", file->etag},
                   {"Content-Security-Policy", kPolicy},
                   {"Cross-Origin-Opener-Policy", "same-origin"},
                   {"Cross-Origin-Resource-Policy", "same-origin"},
                   {"Referrer-Policy", "no-referrer"}};
  if (is_known(head, file->etag)) {
    answer.status = 304;
  } else {
    answer.body = file->text;
  }
  return answer;
}

}  // namespace revcache::admin
