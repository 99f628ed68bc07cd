#include "proxy/upstream_request.h"

#include "base/base64.h"
#include "http/serializer.h"

namespace revcache::proxy {

namespace {

using http::FieldId;

// Said by this hop itself, whatever the caller's fields say.
bool is_ours(FieldId id) noexcept {
  switch (id) {
    case FieldId::host:
    case FieldId::via:
    case FieldId::cdn_loop:
    case FieldId::connection:
    case FieldId::proxy_connection:
    case FieldId::proxy_authorization:
    case FieldId::keep_alive:
    case FieldId::te:
    case FieldId::upgrade:
    case FieldId::max_forwards:
    case FieldId::content_length:
    case FieldId::transfer_encoding:
      return true;
    default:
      return false;
  }
}

void append_continued(std::string& out, FieldId id, std::string_view received,
                      std::string_view entry) {
  std::string value(received);
  if (!value.empty()) value += ", ";
  value += entry;
  http::append_field(out, http::field_name(id), value);
}

void append_framing(std::string& out, const cache::OriginRequest& request) {
  const auto length = http::field_name(FieldId::content_length);
  if (request.body_source == nullptr) {
    if (request.has_body || !request.body.empty()) {
      http::append_field(out, length, std::to_string(request.body.size()));
    }
  } else if (request.body_length) {
    http::append_field(out, length, std::to_string(*request.body_length));
  } else {
    http::append_field(out, http::field_name(FieldId::transfer_encoding), "chunked");
  }
}

}  // namespace

std::string render_request_head(const cache::OriginRequest& request, const http::Uri& uri,
                                const UpstreamRoute& route, std::string_view instance_id) {
  std::string out;
  out.reserve(512);
  const auto method = request.method == http::Method::other ? std::string_view(request.method_text)
                                                            : http::to_string(request.method);
  http::append_request_line(out, method,
                            route.absolute_form() ? std::string_view(uri.text()) : uri.path());
  http::append_field(out, http::field_name(FieldId::host), uri.authority());
  for (const auto& field : request.fields.view()) {
    if (!is_ours(field.id)) http::append_field(out, field.name, field.value);
  }
  if (request.max_forwards) {
    http::append_field(out, http::field_name(FieldId::max_forwards),
                       std::to_string(*request.max_forwards));
  }
  append_continued(out, FieldId::via, request.via, kViaEntry);
  append_continued(out, FieldId::cdn_loop, request.cdn_loop, instance_id);
  if (route.absolute_form() && !route.parent->user.empty()) {
    http::append_field(out, http::field_name(FieldId::proxy_authorization),
                       basic_credentials(*route.parent));
  }
  append_framing(out, request);
  out += "\r\n";
  return out;
}

std::string basic_credentials(const config::ParentProxy& parent) {
  if (parent.user.empty()) return {};
  return "Basic " + base64(as_bytes(parent.user + ':' + parent.password));
}

bool is_looped(std::string_view cdn_loop, std::string_view instance_id) noexcept {
  return http::list_has_token(cdn_loop, instance_id);
}

bool is_replayable(const cache::OriginRequest& request) noexcept {
  if (request.body_source != nullptr) return false;
  return http::is_idempotent(request.method) || request.kind == ObjectKind::ocsp;
}

}  // namespace revcache::proxy
