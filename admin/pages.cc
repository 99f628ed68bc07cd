#include "admin/pages.h"

#include <algorithm>
#include <array>
#include <utility>

#include "admin/page_files.h"
#include "metrics/collector.h"

namespace revcache::admin {
namespace {

struct NamedPage {
  std::string_view path;
  Page page;
  std::string_view about;
};

constexpr std::array<NamedPage, 4> kPages{{
    {"/api/v1", Page::calls, "this list"},
    {"/metrics", Page::metrics, "metrics for Prometheus, text format 0.0.4"},
    {"/livez", Page::livez, "200 while the process answers"},
    {"/readyz", Page::readyz, "200 when requests can be served, else 503 and what is missing"},
}};

constexpr std::string_view kHealthOf = "/health/ca/";

Decision refuse(Answer answer) { return {.page = {}, .api = {}, .refusal = std::move(answer)}; }

Answer calls_answer() {
  Answer answer{.body = "revcache admin port\n\n/           the status page, for a browser\n"};
  for (const NamedPage& page : kPages) {
    std::string path(page.path);
    path.resize(12, ' ');
    answer.body += path + std::string(page.about) + '\n';
  }
  answer.body += std::string(kHealthOf) +
                 "<name>  200 while NPS can authenticate by this "
                 "[[authority]], else 503 and why not\n";
  answer.body += '\n' + api_index();
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
  auto asked = admit(head, rules);
  if (!asked) return refuse(std::move(asked).error());
  const auto* const named = std::ranges::find(kPages, asked->path, &NamedPage::path);
  if (named == kPages.end() && is_api_path(asked->path)) {
    auto request = decide_api(head, *asked, rules);
    if (!request) return refuse(std::move(request).error());
    return {.page = {}, .api = *std::move(request), .refusal = {}};
  }
  auto file = page_file_answer(asked->path, head);
  const bool asks_for_health = asked->path.starts_with(kHealthOf);
  if (named == kPages.end() && !file && !asks_for_health) {
    return refuse(refusal(asked->path, 404, "no such page; /api/v1 lists them"));
  }
  if (head.method != http::Method::get && head.method != http::Method::head) {
    Answer answer = refusal(asked->path, 405, "only GET and HEAD are for this page");
    answer.fields.emplace_back("Allow", "GET, HEAD");
    return refuse(std::move(answer));
  }
  if (head.has_body()) return refuse(refusal(asked->path, 413, "no page here takes a body"));
  if (file) return {.page = {}, .file = std::move(file), .api = {}, .refusal = {}};
  if (asks_for_health) {
    return {
        .page = {}, .health_of = asked->path.substr(kHealthOf.size()), .api = {}, .refusal = {}};
  }
  return {.page = named->page, .api = {}, .refusal = {}};
}

Answer page_answer(Page page, const AdminSources& sources) {
  switch (page) {
    case Page::livez:
      return {.body = "alive\n"};
    case Page::readyz:
      return ready_answer(sources.not_ready());
    case Page::metrics:
      return metrics_answer(sources.metrics_text());
    case Page::calls:
      break;
  }
  return calls_answer();
}

Answer metrics_answer(std::string text) {
  return {.content_type = metrics::kTextFormatContentType, .body = std::move(text)};
}

Answer coding_refusal() {
  return {.status = 406, .body = "Accept-Encoding takes neither gzip nor identity\n"};
}

Answer overloaded_answer() {
  Answer answer{.status = 503, .body = "too much is asked at once\n"};
  answer.fields.emplace_back("Retry-After", "1");
  return answer;
}

Answer malformed_answer(std::uint16_t status, std::string_view reason) {
  return {.status = status, .body = std::string(reason) + '\n'};
}

}  // namespace revcache::admin
