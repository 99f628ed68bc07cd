#include "admin/compression.h"

#include <zlib.h>

#include <climits>
#include <optional>

#include "base/check.h"

namespace revcache::admin {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), in thousandths.
std::optional<int> weight_of(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int weight = text[0] - '0';
  for (std::size_t at = 2; at < 5; ++at) {
    const char digit = at < text.size() ? text[at] : '0';
    if (digit < '0' || digit > '9') return std::nullopt;
    weight = weight * 10 + (digit - '0');
  }
  return weight <= 1000 ? std::optional(weight) : std::nullopt;
}

struct Weights {
  std::optional<int> gzip;
  std::optional<int> identity;
  std::optional<int> any;
};

void read_member(std::string_view member, Weights& weights) {
  const auto semicolon = member.find(';');
  const std::string_view coding = trimmed(member.substr(0, semicolon));
  std::optional<int> weight = 1000;
  if (semicolon != std::string_view::npos) {
    const std::string_view parameter = trimmed(member.substr(semicolon + 1));
    if (parameter.size() < 2 || !http::equals_ignoring_case(parameter.substr(0, 2), "q=")) return;
    weight = weight_of(parameter.substr(2));
  }
  if (!weight) return;
  if (http::equals_ignoring_case(coding, "gzip") || http::equals_ignoring_case(coding, "x-gzip")) {
    weights.gzip = weight;
  } else if (http::equals_ignoring_case(coding, "identity")) {
    weights.identity = weight;
  } else if (coding == "*") {
    weights.any = weight;
  }
}

}  // namespace

Codings accepted_codings(const http::FieldsView& fields) {
  Weights weights;
  for (const http::Field& field : fields) {
    if (field.id != http::FieldId::accept_encoding) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      read_member(rest.substr(0, comma), weights);
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
  }
  const int gzip = weights.gzip.value_or(weights.any.value_or(0));
  const auto identity = weights.identity ? weights.identity : weights.any;
  // Without a word about it identity is always there, but the last choice.
  return {.gzip = gzip > 0 && gzip >= weights.identity.value_or(0), .identity = identity != 0};
}

std::string gzip(std::string_view text) {
  constexpr int kGzipWindow = MAX_WBITS + 16;  // zlib.h: a gzip wrapper
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                     Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  CHECK(out.size() <= UINT_MAX);
  stream.avail_out = static_cast<uInt>(out.size());
  // zlib's pointer is not const without ZLIB_CONST; it only reads.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace revcache::admin
