// What the pieces of a request cost: parsing, the URI, directives, dates. Run by
// revcache-micro --benchmark_filter=… (bench/README.md).
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "base/check.h"
#include "http/cache_control.h"
#include "http/date.h"
#include "http/message.h"
#include "http/parser.h"
#include "http/serializer.h"
#include "http/uri.h"

namespace revcache::http {
namespace {

// As CryptoAPI sends it through a proxy.
constexpr std::string_view kRequest =
    "GET http://primary-cdn.pki.azure.net/centralus/crls/0f1e2d3c4b5a69788796a5b4c3d2e1f0/"
    "8c7b6a59-4d3e-4f21-9a0b-1c2d3e4f5a6b_v1/current.crl HTTP/1.1\r\n"
    "Proxy-Connection: Keep-Alive\r\n"
    "Cache-Control: max-age = 3600\r\n"
    "Accept: */*\r\n"
    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "If-None-Match: \"0x8DC5A0B1C2D3E4F\"\r\n"
    "User-Agent: Microsoft-CryptoAPI/10.0\r\n"
    "Host: primary-cdn.pki.azure.net\r\n\r\n";

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Content-Type: application/pkix-crl\r\n"
    "Content-Length: 0\r\n"
    "Cache-Control: public, max-age=14400, stale-if-error=86400\r\n"
    "ETag: \"0x8DC5A0B1C2D3E4F\"\r\n"
    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "X-Cache: TCP_HIT\r\n"
    "Accept-Ranges: bytes\r\n\r\n";

void parse_request(benchmark::State& state) {
  const ParserLimits limits;
  RequestParser parser(limits);
  for (auto _ : state) {
    const Step step = parser.feed(kRequest);
    CHECK(step.kind == StepKind::head);
    benchmark::DoNotOptimize(parser.head().fields.present());
  }
}
BENCHMARK(parse_request);

void parse_request_in_two_pieces(benchmark::State& state) {
  const ParserLimits limits;
  RequestParser parser(limits);
  for (auto _ : state) {
    parser.feed(kRequest.substr(0, 200));
    const Step step = parser.feed(kRequest.substr(200));
    CHECK(step.kind == StepKind::head);
  }
}
BENCHMARK(parse_request_in_two_pieces);

void parse_response(benchmark::State& state) {
  const ParserLimits limits;
  ResponseParser parser(limits);
  for (auto _ : state) {
    parser.begin(Method::get);
    std::string_view rest = kResponse;
    Step step;
    do {
      step = parser.feed(rest);
      rest.remove_prefix(step.consumed);
    } while (!rest.empty() && step.kind != StepKind::malformed);
    CHECK(step.kind != StepKind::malformed);
    benchmark::DoNotOptimize(parser.head().fields.view().present());
  }
}
BENCHMARK(parse_response);

void normalise_absolute_uri(benchmark::State& state) {
  const std::string_view target = kRequest.substr(4, kRequest.find(" HTTP/") - 4);
  std::string storage;
  for (auto _ : state) {
    const auto uri = parse_absolute_form(target, storage);
    CHECK(uri.has_value());
    benchmark::DoNotOptimize(uri->text);
  }
}
BENCHMARK(normalise_absolute_uri);

void parse_directives_of_request(benchmark::State& state) {
  Fields fields;
  fields.add(FieldId::cache_control, "max-age = 3600");
  const FieldsView view = fields.view();
  for (auto _ : state) benchmark::DoNotOptimize(parse_request_directives(view));
}
BENCHMARK(parse_directives_of_request);

void parse_directives_of_response(benchmark::State& state) {
  Fields fields;
  fields.add(FieldId::cache_control, "public, max-age=14400, stale-if-error=86400");
  const FieldsView view = fields.view();
  for (auto _ : state) benchmark::DoNotOptimize(parse_response_directives(view));
}
BENCHMARK(parse_directives_of_response);

void parse_imf_date(benchmark::State& state) {
  const WallSeconds now{std::chrono::seconds{1'700'000'000}};
  for (auto _ : state) {
    benchmark::DoNotOptimize(parse_date("Sun, 06 Nov 1994 08:49:37 GMT", now));
  }
}
BENCHMARK(parse_imf_date);

void format_imf_date(benchmark::State& state) {
  WallSeconds now{std::chrono::seconds{1'700'000'000}};
  for (auto _ : state) {
    benchmark::DoNotOptimize(format_date(now));
    now += std::chrono::seconds{1};
  }
}
BENCHMARK(format_imf_date);

}  // namespace
}  // namespace revcache::http
