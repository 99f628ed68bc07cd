#include "proxy/asked_question.h"

#include "cache/cache_key.h"

namespace revcache::proxy {
namespace {

constexpr std::string_view kOwnPath = "/ocsp";

// The shortest base64 of an OCSPRequest with one CertID is longer, and all begin with the tag of a
// SEQUENCE (0x30: "M"): a glance that spares other paths the attempt.
constexpr std::size_t kOcspPathBytesMin = 64;

bool may_be_ocsp_get(std::string_view path) noexcept {
  return path.size() >= kOcspPathBytesMin && path.find("/M") != std::string_view::npos;
}

}  // namespace

void AskedQuestion::forget() noexcept {
  path = Path::unread;
  der = {};
  question.reset();
  cache_key.clear();
  authority.clear();
}

void AskedQuestion::read_get(const http::UriView& uri) {
  forget();
  path = Path::none;
  if (!may_be_ocsp_get(uri.path)) return;
  const auto found = pki::decode_ocsp_get_path(uri.path, storage);
  if (!found) return;
  path = Path::forwarded;
  der = storage;
  question = found->question;
  find_cache_key(uri);
}

void AskedQuestion::read_post(const http::UriView& uri, std::string_view body) {
  forget();
  const auto found = pki::parse_ocsp_question(as_bytes(body));
  if (!found) return;
  der = body;
  question = *found;
  find_cache_key(uri);
}

void AskedQuestion::read_own(std::string_view target) {
  forget();
  path = Path::none;
  target = target.substr(0, target.find('?'));
  if (!target.starts_with(kOwnPath)) return;
  if (const auto found = pki::decode_ocsp_get_path(target, storage)) {
    der = storage;
    question = found->question;
    target = target.substr(0, found->prefix);
  }
  target.remove_prefix(kOwnPath.size());
  if (target.ends_with('/')) target.remove_suffix(1);
  if (!target.empty() && !target.starts_with('/')) return;
  path = Path::own;
  if (!target.empty()) authority = target.substr(1);
}

void AskedQuestion::find_cache_key(const http::UriView& uri) {
  if (!question->single || question->has_nonce) return;
  const auto origin = uri.text.substr(0, uri.text.size() - uri.path.size());
  cache::make_ocsp_key(cache_key, origin, question->cert_id.der,
                       question->preferred_signature_algorithms);
}

}  // namespace revcache::proxy
