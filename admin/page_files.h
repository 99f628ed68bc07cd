// The status page: the files of admin/page, compiled in. They hold nothing of the instance that
// serves them; what the page shows it asks of /api/v1.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "admin/answer.h"
#include "http/message.h"

namespace revcache::admin {

struct EmbeddedFile {
  std::string_view name;  // "style.css"
  std::string_view etag;  // strong, of its octets, with the quotes
  std::string_view text;
};

// Static storage.
std::span<const EmbeddedFile> embedded_files() noexcept;

// True for "/" and all below "/page/". These are given out without the token that reading may need:
// docs/decisions/0005-the-status-page-itself-is-no-secret.md.
bool is_page_path(std::string_view path) noexcept;

// The file at `path`, index.html for "/", or a 304 (RFC 9110 13.1.2); nullopt: there is none. The
// fields of its answer let a browser run what comes from here and nothing else.
std::optional<Answer> page_file_answer(std::string_view path, const http::RequestHead& head);

}  // namespace revcache::admin
