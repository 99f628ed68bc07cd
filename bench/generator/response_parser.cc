#include "bench/generator/response_parser.h"

#include <strings.h>

#include <algorithm>

namespace revcache::bench {
namespace {

bool same(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

// OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, … }: the first octets tell.
int ocsp_status_of(const unsigned char* der, std::size_t size) noexcept {
  constexpr unsigned char kSequence = 0x30;
  constexpr unsigned char kEnumerated = 0x0a;
  if (size < 5 || der[0] != kSequence) return -1;
  const std::size_t header = der[1] < 0x80 ? 2 : 2U + (der[1] & 0x7fU);
  if (header + 3 > size || der[header] != kEnumerated || der[header + 1] != 1) return -1;
  return der[header + 2];
}

}  // namespace

ResponseParser::ResponseParser() : hash_(XXH3_createState()) { reset(); }

const llhttp_settings_t& ResponseParser::settings() {
  static const llhttp_settings_t kSettings = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_header_field = on_field;
    made.on_header_value = on_value;
    made.on_header_value_complete = on_value_complete;
    made.on_headers_complete = on_headers_complete;
    made.on_body = on_body;
    made.on_message_complete = on_complete;
    return made;
  }();
  return kSettings;
}

void ResponseParser::reset() {
  llhttp_init(&parser_, HTTP_RESPONSE, &settings());
  parser_.data = this;
  XXH3_64bits_reset(hash_.get());
  for (std::string& value : values_) value.clear();
  name_.clear();
  field_ = Field::none;
  begun_ = false;
  complete_ = false;
  answer_ = {};
}

ResponseParser::Step ResponseParser::feed(std::string_view& chunk) {
  begun_ = begun_ || !chunk.empty();
  const llhttp_errno_t outcome = llhttp_execute(&parser_, chunk.data(), chunk.size());
  if (complete_) {
    const char* end = llhttp_get_error_pos(&parser_);
    chunk.remove_prefix(static_cast<std::size_t>(end - chunk.data()));
    return Step::complete;
  }
  if (outcome != HPE_OK) return Step::malformed;
  chunk = {};
  return Step::need_more;
}

ResponseParser::Step ResponseParser::finish() {
  llhttp_finish(&parser_);
  return complete_ ? Step::complete : Step::malformed;
}

int ResponseParser::on_field(llhttp_t* parser, const char* at, std::size_t length) {
  ResponseParser& owner = self(parser);
  if (owner.name_.size() + length <= kFieldBytesMax) owner.name_.append(at, length);
  return 0;
}

int ResponseParser::on_value(llhttp_t* parser, const char* at, std::size_t length) {
  ResponseParser& owner = self(parser);
  if (!owner.name_.empty()) {
    const std::string_view name = owner.name_;
    owner.field_ = same(name, "cache-status")     ? Field::cache_status
                   : same(name, "x-cache-status") ? Field::x_cache_status
                   : same(name, "x-cache")        ? Field::x_cache
                   : same(name, "etag")           ? Field::etag
                   : same(name, "last-modified")  ? Field::modified
                                                  : Field::none;
    owner.name_.clear();
    // Several lines of one field are one list.
    std::string& value = owner.value_of(owner.field_);
    if (owner.field_ == Field::cache_status && !value.empty()) value += ", ";
  }
  std::string& value = owner.value_of(owner.field_);
  if (owner.field_ != Field::none && value.size() + length <= kFieldBytesMax) {
    value.append(at, length);
  }
  return 0;
}

int ResponseParser::on_value_complete(llhttp_t* parser) {
  self(parser).name_.clear();  // of a field whose value is empty
  return 0;
}

int ResponseParser::on_headers_complete(llhttp_t* parser) {
  self(parser).answer_.status = parser->status_code;
  // RFC 9110 8.6: a 304 may say how long the body would be that it does not have.
  return parser->status_code == 304 || parser->status_code == 204 ? 1 : 0;
}

int ResponseParser::on_body(llhttp_t* parser, const char* at, std::size_t length) {
  ResponseParser& owner = self(parser);
  XXH3_64bits_update(owner.hash_.get(), at, length);
  if (owner.answer_.body_bytes < kFirstBytes) {
    const auto have = static_cast<std::size_t>(owner.answer_.body_bytes);
    std::copy_n(at, std::min(length, kFirstBytes - have),
                owner.first_.begin() + static_cast<std::ptrdiff_t>(have));
  }
  owner.answer_.body_bytes += length;
  return 0;
}

int ResponseParser::on_complete(llhttp_t* parser) {
  ResponseParser& owner = self(parser);
  // RFC 9110 15.2: an interim response is followed by the real one.
  if (parser->status_code >= 100 && parser->status_code < 200) {
    for (std::string& value : owner.values_) value.clear();
    return 0;
  }
  owner.answer_.keeps_alive = llhttp_should_keep_alive(parser) != 0;
  owner.complete();
  return HPE_PAUSED;
}

void ResponseParser::complete() {
  complete_ = true;
  answer_.cache = cache_result_of({.cache_status = value_of(Field::cache_status),
                                   .x_cache_status = value_of(Field::x_cache_status),
                                   .x_cache = value_of(Field::x_cache)});
  answer_.etag = value_of(Field::etag);
  answer_.last_modified = value_of(Field::modified);
  answer_.body_hash = XXH3_64bits_digest(hash_.get());
  const auto kept =
      static_cast<std::size_t>(std::min<std::uint64_t>(answer_.body_bytes, kFirstBytes));
  answer_.ocsp_status = ocsp_status_of(first_.data(), kept);
}

}  // namespace revcache::bench
