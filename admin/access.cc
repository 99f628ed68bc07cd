#include "admin/access.h"

#include <nlohmann/json.hpp>

#include <utility>

#include "admin/host_check.h"
#include "admin/page_files.h"
#include "admin/token.h"

namespace revcache::admin {
namespace {

std::pair<std::string, std::string> split_query(std::string_view path) {
  const auto at = path.find('?');
  if (at == std::string_view::npos) return {std::string(path), {}};
  return {std::string(path.substr(0, at)), std::string(path.substr(at + 1))};
}

// nullopt when the target or the Host cannot be read.
std::optional<Asked> read_target(const http::RequestHead& head) {
  Asked asked;
  if (head.target.starts_with('/')) {
    std::tie(asked.path, asked.query) = split_query(head.target);
    const auto host = head.fields.find(http::FieldId::host);
    if (!host) return asked;  // HTTP/1.0
    auto authority = http::parse_authority(*host);
    if (!authority) return std::nullopt;
    asked.authority = std::move(*authority);
    return asked;
  }
  // RFC 9112 3.2.2: the authority of an absolute form counts, whatever Host says.
  std::string storage;
  const auto uri = http::parse_absolute_form(head.target, storage);
  if (!uri) return std::nullopt;
  std::tie(asked.path, asked.query) = split_query(uri->path);
  asked.authority = http::Authority{std::string(uri->host), uri->ip, uri->port};
  return asked;
}

// RFC 6454 7: a browser names the page's origin in every request that changes something, and in
// every one whose answer a page of another origin wants to read. It must be the very host and port
// that the request went to: any address literal passes the check of the Host, also another one's.
bool is_same_origin(std::string_view origin, const std::optional<http::Authority>& authority) {
  std::string storage;
  const auto page = http::parse_absolute_form(origin, storage);
  if (!page || !authority || page->path != "/") return false;
  return page->host == authority->host &&
         page->port == authority->port.value_or(http::default_port(page->scheme));
}

std::string_view authorization_of(const http::RequestHead& head) {
  return head.fields.find(http::FieldId::authorization).value_or(std::string_view());
}

}  // namespace

bool is_api_path(std::string_view path) noexcept { return path.starts_with("/api/"); }

Answer refusal(std::string_view path, std::uint16_t status, std::string_view text) {
  if (!is_api_path(path)) return {.status = status, .body = std::string(text) + '\n'};
  const nlohmann::json json{{"error", text}};
  return {.status = status,
          .content_type = kJson,
          .body = json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + '\n'};
}

Answer token_refusal(std::string_view path) {
  Answer answer = refusal(path, 401, "the bearer token of admin.token_file is needed");
  answer.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"revcache\"");
  return answer;
}

std::expected<Asked, Answer> admit(const http::RequestHead& head, const AccessRules& rules) {
  if (head.method == http::Method::connect) {
    return std::unexpected(refusal({}, 405, "CONNECT is not for this port"));
  }
  auto asked = read_target(head);
  if (!asked) {
    return std::unexpected(refusal({}, 400, "the target or Host of this request cannot be read"));
  }
  if (asked->authority && !is_own_host(*asked->authority, rules.names)) {
    return std::unexpected(
        refusal(asked->path, 421, "this server has another name: see listen.names"));
  }
  const auto origin = head.fields.find("Origin");
  if (origin && !is_same_origin(*origin, asked->authority)) {
    return std::unexpected(
        refusal(asked->path, 403, "a page of another origin (Origin) may ask nothing here"));
  }
  if (!rules.token.empty() && !is_page_path(asked->path) &&
      !presents_token(authorization_of(head), rules.token)) {
    return std::unexpected(token_refusal(asked->path));
  }
  return *std::move(asked);
}

std::optional<Answer> refuse_change(const http::RequestHead& head, const Asked& asked,
                                    const AccessRules& rules) {
  if (rules.change_token.empty()) {
    return refusal(asked.path, 403,
                   "nothing can be changed here: admin.token_file names no file with a token");
  }
  if (!presents_token(authorization_of(head), rules.change_token)) {
    return token_refusal(asked.path);
  }
  return std::nullopt;
}

}  // namespace revcache::admin
