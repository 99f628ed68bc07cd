#include "admin/pages.h"

#include <array>
#include <utility>

#include "admin/host_check.h"
#include "admin/token.h"
#include "http/uri.h"
#include "metrics/collector.h"

namespace revcache::admin {
namespace {

struct NamedPage {
  std::string_view path;
  Page page;
  std::string_view about;
};

constexpr std::array<NamedPage, 4> kPages{{
    {"/", Page::index, "this list"},
    {"/metrics", Page::metrics, "metrics for Prometheus, text format 0.0.4"},
    {"/livez", Page::livez, "200 while the process answers"},
    {"/readyz", Page::readyz, "200 when requests can be served, else 503 and what is missing"},
}};

// What a request asks for, in either form of a target that an origin server takes (RFC 9112 3.2).
struct Asked {
  std::string path;  // without query
  std::optional<http::Authority> authority;
};

std::string without_query(std::string_view path) {
  return std::string(path.substr(0, path.find('?')));
}

// nullopt when the target or the Host cannot be read.
std::optional<Asked> read_target(const http::RequestHead& head) {
  Asked asked;
  if (head.target.starts_with('/')) {
    asked.path = without_query(head.target);
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
  asked.path = without_query(uri->path);
  asked.authority = http::Authority{std::string(uri->host), uri->ip, uri->port};
  return asked;
}

Decision refuse(std::uint16_t status, std::string body) {
  return {std::nullopt, Answer{.status = status, .body = std::move(body)}};
}

Answer index_answer() {
  Answer answer{.body = "revcache admin port\n\n"};
  for (const NamedPage& page : kPages) {
    std::string path(page.path);
    path.resize(12, ' ');
    answer.body += path + std::string(page.about) + '\n';
  }
  return answer;
}

Answer ready_answer(const std::vector<std::string>& missing) {
  if (missing.empty()) return {.body = "ready\n"};
  Answer answer{.status = 503, .body = {}};
  for (const std::string& reason : missing) answer.body += "not ready: " + reason + '\n';
  return answer;
}

}  // namespace

Decision decide(const http::RequestHead& head, const AccessRules& rules) {
  if (head.method == http::Method::connect) return refuse(405, "CONNECT is not for this port\n");
  const auto asked = read_target(head);
  if (!asked) return refuse(400, "the target or Host of this request cannot be read\n");
  if (asked->authority && !is_own_host(*asked->authority, rules.names)) {
    return refuse(421, "this server has another name: see listen.names\n");
  }
  const std::string_view authorization =
      head.fields.find(http::FieldId::authorization).value_or(std::string_view());
  if (!rules.token.empty() && !presents_token(authorization, rules.token)) {
    Decision decision = refuse(401, "the bearer token of admin.token_file is needed\n");
    decision.refusal.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"revcache\"");
    return decision;
  }
  for (const NamedPage& page : kPages) {
    if (page.path != asked->path) continue;
    if (head.method != http::Method::get && head.method != http::Method::head) {
      Decision decision = refuse(405, "only GET and HEAD are for this page\n");
      decision.refusal.fields.emplace_back("Allow", "GET, HEAD");
      return decision;
    }
    if (head.has_body()) return refuse(413, "no page here takes a body\n");
    return {page.page, {}};
  }
  return refuse(404, "no such page; / lists them\n");
}

Answer page_answer(Page page, const AdminSources& sources) {
  switch (page) {
    case Page::livez:
      return {.body = "alive\n"};
    case Page::readyz:
      return ready_answer(sources.not_ready());
    case Page::metrics:
      return metrics_answer(sources.metrics_text());
    case Page::index:
      break;
  }
  return index_answer();
}

Answer metrics_answer(std::string text) {
  return {.content_type = metrics::kTextFormatContentType, .body = std::move(text)};
}

Answer overloaded_answer() {
  Answer answer{.status = 503, .body = "too many scrapes at once\n"};
  answer.fields.emplace_back("Retry-After", "1");
  return answer;
}

Answer malformed_answer(std::uint16_t status, std::string_view reason) {
  return {.status = status, .body = std::string(reason) + '\n'};
}

}  // namespace revcache::admin
