// Any octets as URIs and references: never crashes, and what is accepted is in normal form: it is
// accepted again and stays as it is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/uri.h"

namespace {

using namespace revcache::http;

void check_normal(const Uri& uri) {
  std::string storage;
  const auto again = parse_absolute_form(uri.text(), storage);
  CHECK(again.has_value());
  CHECK(again->text == uri.text() && again->host == uri.host() && again->port == uri.port());
  CHECK(again->path == uri.path() && again->authority == uri.authority());
  CHECK(again->ip == uri.ip() && again->scheme == uri.scheme());
  CHECK(uri.path().starts_with('/') && uri.port() != 0 && !uri.host().empty());

  std::string joined;
  const auto origin = from_origin_form(uri.path(), uri.authority(), uri.scheme(), joined);
  CHECK(origin.has_value() && origin->text == uri.text());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string storage;
  if (const auto uri = parse_absolute_form(text, storage)) check_normal(Uri(*uri));
  if (const auto uri = from_origin_form("/x", text, Scheme::https, storage))
    check_normal(Uri(*uri));
  if (const auto uri = from_origin_form(text, "host", Scheme::http, storage))
    check_normal(Uri(*uri));
  static const Uri kBase(*parse_absolute_form("http://[::1]:8080/a/b;c/d?e", storage));
  if (const auto uri = resolve_reference(kBase, text)) check_normal(*uri);
  if (const auto authority = parse_authority(text)) CHECK(!authority->host.empty());
  if (const auto network = revcache::IpNetwork::parse(text)) {
    CHECK(revcache::IpNetwork::parse(network->to_string()) == network);
  }
  if (const auto address = revcache::IpAddress::parse(text)) {
    CHECK(revcache::IpAddress::parse(address->to_string()) == address);
  }
  return 0;
}
