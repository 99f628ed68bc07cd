#include "bench/generator/catalogue.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include "base/base64.h"
#include "http/uri.h"
#include "pki/ocsp_request.h"

namespace revcache::bench {
namespace {

constexpr std::size_t kCounterOctets = 4;
constexpr std::size_t kBodyFileBytesMax = std::size_t{1} << 30U;
constexpr std::string_view kScheme = "http://";
constexpr std::string_view kCopy = "{n}";

std::optional<std::string> read_file(const std::string& name) {
  std::ifstream input(name, std::ios::binary);
  if (!input) return std::nullopt;
  std::ostringstream content;
  content << input.rdbuf();
  return std::move(content).str();
}

void append_conditions(const Version& version, Form form, std::string& out) {
  const bool etag = form == Form::revalidate || form == Form::revalidate_etag;
  const bool date = form == Form::revalidate || form == Form::revalidate_date;
  if (date && !version.last_modified.empty()) {
    out.append("If-Modified-Since: ").append(version.last_modified).append("\r\n");
  }
  if (etag && !version.etag.empty()) {
    out.append("If-None-Match: ").append(version.etag).append("\r\n");
  }
}

// DOMAIN: the directive has spaces around its "=".
std::string_view directives_of(Form form) {
  switch (form) {
    case Form::cold:
      return "";
    case Form::revalidate:
    case Form::revalidate_etag:
    case Form::revalidate_date:
      return "Cache-Control: max-age = 3600\r\n";
    case Form::no_cache:
      return "Cache-Control: no-cache\r\nPragma: no-cache\r\n";
    case Form::max_age_0:
      return "Cache-Control: max-age = 0\r\n";
  }
  return "";
}

}  // namespace

std::expected<Address, std::string> parse_proxy(std::string_view url) {
  std::string storage;
  const auto uri = http::parse_absolute_form(url, storage);
  if (!uri || uri->scheme != http::Scheme::http) {
    return std::unexpected("\"" + std::string(url) + "\" is not of the form http://host:port");
  }
  return Address{.host = std::string(uri->host), .port = uri->port};
}

std::expected<Catalogue, std::string> Catalogue::open(const Scenario& scenario,
                                                      const Route& route) {
  Catalogue catalogue;
  for (const Object& object : scenario.objects) {
    auto entry = open_entry(object, route);
    if (!entry) return std::unexpected("object \"" + object.name + "\": " + entry.error());
    catalogue.entries_.push_back(std::move(*entry));
  }
  return catalogue;
}

std::expected<Catalogue::Entry, std::string> Catalogue::open_entry(const Object& object,
                                                                   const Route& route) {
  Entry entry;
  entry.object = &object;
  const bool redirected = object.responder && !route.responder.empty();
  entry.url = redirected ? route.responder : object.url;
  std::string storage;
  std::string plain = entry.url;
  if (const std::size_t at = plain.find(kCopy); at != std::string::npos) {
    plain.replace(at, kCopy.size(), "0");
  }
  const auto uri = http::parse_absolute_form(plain, storage);
  if (!uri || uri->scheme != http::Scheme::http) {
    return std::unexpected("\"" + entry.url + "\" is no http URL");
  }
  entry.host = std::string(uri->authority);
  entry.absolute_form = route.proxy && !redirected;
  entry.address = entry.absolute_form ? *route.proxy
                                      : Address{.host = std::string(uri->host), .port = uri->port};
  entry.variants = std::max(object.serials, object.copies);
  if (object.zipf > 0) entry.zipf.emplace(entry.variants, object.zipf);
  if (!object.may_change && object.bodies.empty()) {
    entry.bodies.resize(static_cast<std::size_t>(entry.variants));
  }
  if (std::string wrong = read_question(object, entry); !wrong.empty()) {
    return std::unexpected(std::move(wrong));
  }
  if (std::string wrong = read_bodies(object, entry); !wrong.empty()) {
    return std::unexpected(std::move(wrong));
  }
  return entry;
}

// The last four octets of the serial count on; so it needs one more, which stays.
std::string Catalogue::read_question(const Object& object, Entry& entry) {
  if (object.question.empty()) return {};
  auto der = read_file(object.question);
  if (!der) return object.question + ": cannot be read";
  entry.question = *std::move(der);
  const auto parsed = pki::parse_ocsp_request(as_bytes(entry.question));
  if (!parsed) return object.question + ": is no DER OCSP request: " + parsed.error().detail;
  if (object.serials == 1) return {};
  const ByteView serial = parsed->requests.front().serial;
  if (serial.size() <= kCounterOctets) return "serials: the question's serial is below 5 octets";
  const std::uint8_t* begin = as_bytes(entry.question).data();
  entry.serial_at =
      static_cast<std::size_t>(serial.data() - begin) + serial.size() - kCounterOctets;
  for (std::size_t at = 0; at < kCounterOctets; ++at) {
    entry.serial_first = (entry.serial_first << 8U) |
                         static_cast<unsigned char>(entry.question[entry.serial_at + at]);
  }
  return {};
}

std::string Catalogue::read_bodies(const Object& object, Entry& entry) {
  for (const std::string& file : object.bodies) {
    const auto body = read_file(file);
    if (!body) return file + ": cannot be read";
    if (body->size() > kBodyFileBytesMax) return file + ": is larger than 1 GiB";
    entry.versions.push_back({.body_hash = XXH3_64bits(body->data(), body->size()), .file = file});
  }
  return {};
}

std::uint64_t Catalogue::draw(std::size_t object, Random& random) const {
  const Entry& entry = entries_[object];
  if (entry.variants == 1) return 0;
  return entry.zipf ? entry.zipf->draw(random) : random.below(entry.variants);
}

const Address& Catalogue::address_of(std::size_t object) const { return entries_[object].address; }

std::uint32_t Catalogue::newest(std::size_t object) const { return entries_[object].newest; }

std::string Catalogue::question_of(const Entry& entry, std::uint64_t variant) {
  std::string question = entry.question;
  if (entry.object->serials == 1) return question;
  auto serial = static_cast<std::uint32_t>(entry.serial_first + variant);
  for (std::size_t at = kCounterOctets; at-- > 0; serial >>= 8U) {
    question[entry.serial_at + at] = static_cast<char>(serial & 0xffU);
  }
  return question;
}

std::string Catalogue::target_of(const Entry& entry, const Wanted& wanted,
                                 std::string_view question) {
  std::string url = entry.url;
  if (const std::size_t at = url.find(kCopy); at != std::string::npos) {
    url.replace(at, kCopy.size(), std::to_string(wanted.variant));
  }
  if (!question.empty() && wanted.method == Method::get) {
    if (!url.ends_with('/')) url += '/';
    url += base64_in_path(as_bytes(question));
  }
  if (entry.absolute_form) return url;
  const std::size_t path_at = url.find('/', kScheme.size());
  return path_at == std::string::npos ? "/" : url.substr(path_at);
}

void Catalogue::write_request(const Wanted& wanted, std::string& out) const {
  const Entry& entry = entries_[wanted.object];
  const std::string question = question_of(entry, wanted.variant);
  const bool posts = wanted.method == Method::post;
  out.append(posts ? "POST " : "GET ").append(target_of(entry, wanted, question));
  out.append(" HTTP/1.1\r\n");
  if (wanted.connection == Connections::fresh) {
    out.append("Connection: close\r\n");
  } else {
    out.append(entry.absolute_form ? "Proxy-Connection: Keep-Alive\r\n"
                                   : "Connection: Keep-Alive\r\n");
  }
  out.append(directives_of(wanted.form)).append("Accept: */*\r\n");
  if (wanted.version != kNoVersion) {
    append_conditions(entry.versions[wanted.version], wanted.form, out);
  }
  out.append("User-Agent: Microsoft-CryptoAPI/10.0\r\n");
  if (posts) {
    out.append("Content-Type: application/ocsp-request\r\nContent-Length: ");
    out.append(std::to_string(question.size())).append("\r\n");
  }
  out.append("Host: ").append(entry.host).append("\r\n\r\n");
  if (posts) out.append(question);
}

Catalogue::Verdict Catalogue::check(std::size_t object, std::uint64_t variant,
                                    const Answer& answer) {
  Entry& entry = entries_[object];
  if (!entry.bodies.empty()) {
    std::uint64_t& expected = entry.bodies[static_cast<std::size_t>(variant)];
    const std::uint64_t hash = answer.body_hash | 1U;  // 0 stands for "not yet seen"
    if (expected == 0) expected = hash;
    if (expected != hash) return {};
  }
  if (entry.variants > 1) {
    const auto listed = std::ranges::find(entry.versions, answer.body_hash, &Version::body_hash);
    if (!entry.object->bodies.empty() && listed == entry.versions.end()) return {};
    return {.right = true};
  }
  auto found = std::ranges::find(entry.versions, answer.body_hash, &Version::body_hash);
  if (found == entry.versions.end()) {
    if (!entry.object->bodies.empty()) return {};
    if (entry.versions.size() == kVersionsMax) return {.right = true};
    entry.versions.push_back({.body_hash = answer.body_hash});
    found = std::prev(entry.versions.end());
  }
  found->etag = answer.etag;
  found->last_modified = answer.last_modified;
  ++found->seen;
  entry.newest = static_cast<std::uint32_t>(found - entry.versions.begin());
  return {.right = true, .version = entry.newest};
}

}  // namespace revcache::bench
