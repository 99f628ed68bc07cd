// A scenario: what is asked for, by whom, how often, and what is claimed about the answers. Read
// from TOML; docs/benchmark.md lists the keys. Plain data: read once, then only looked at.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/generator/arrivals.h"

namespace revcache::bench {

inline constexpr std::size_t kLoadsMax = 16;
inline constexpr std::size_t kObjectsMax = 10'000;
inline constexpr std::uint64_t kSerialsMax = 10'000'000;  // 8 bytes each for the expected body
inline constexpr std::size_t kClientsMax = 100'000;

enum class Method : std::uint8_t { get, post };

// What a request of CryptoAPI says about caching.
enum class Form : std::uint8_t {
  cold,             // nothing
  revalidate,       // If-None-Match and If-Modified-Since, Cache-Control: max-age = 3600
  revalidate_etag,  // If-None-Match alone
  revalidate_date,  // If-Modified-Since alone
  no_cache,         // Cache-Control: no-cache and Pragma: no-cache
  max_age_0,        // Cache-Control: max-age = 0
};

enum class Connections : std::uint8_t {
  kept,  // an idle one is used again
  fresh  // each request opens its own
};

// Something to ask for. With `question` it is OCSP.
struct Object {
  std::string name;
  std::string url;                    // absolute; {name} is replaced by --set name=…
  std::string question{};             // a file with a DER OCSP request
  std::uint64_t serials = 1;          // the question's serial and those that follow
  std::uint64_t copies = 1;           // {n} in the URL becomes 0 … copies - 1
  double zipf = 0;                    // how much more often the first serials or copies come
  std::vector<std::string> bodies{};  // files: each answer 200 has one of these bodies
  bool may_change = false;            // else each answer 200 has the body of the first one
  bool responder = false;             // --responder takes the place of the URL's host
};

// A stream of arrivals. Each asks for all of `steps`, one after the other: a login's certificates.
struct Load {
  std::string name;
  std::vector<std::string> steps;  // names of objects
  std::vector<std::size_t> objects;
  Method method = Method::get;
  Form form = Form::cold;
  ArrivalPlan arrivals;
  Connections connection = Connections::kept;
  std::uint32_t connections_max = 1000;
  std::uint32_t clients = 0;  // > 0: so many clients, each with a cache of its own
  std::chrono::milliseconds client_keep{0};
};

// What has to be so, of the arrivals due between `from` and `until` (0: the end). A bound that is
// not set is not looked at.
struct Claim {
  std::string text{};
  std::string load{};  // "": all loads
  std::optional<std::size_t> load_index{};
  std::chrono::milliseconds from{0};
  std::chrono::milliseconds until{0};
  std::optional<std::uint64_t> failed_max{};
  std::optional<std::uint64_t> waited_max{};  // arrivals for which upstream was waited for
  std::optional<std::uint64_t> wrong_max{};   // wrong bodies
  std::optional<std::chrono::milliseconds> latency_max{};
};

struct Scenario {
  std::string name;
  std::string about;
  std::string compressed;  // what stands for what, where time or number is not the real one
  std::chrono::milliseconds duration{10'000};
  std::chrono::milliseconds timeout{15'000};  // CryptoAPI gives a URL 15 s
  std::uint64_t seed = 1;
  std::deque<Object> objects;
  std::deque<Load> loads;
  std::deque<Claim> claims;
};

struct ScenarioContext {
  std::string directory;                    // relative files are relative to it
  std::map<std::string, std::string> sets;  // --set name=value
  std::optional<std::chrono::milliseconds> duration;
  std::optional<std::uint64_t> seed;
};

// All that is wrong, one message a line, each "file:line:column: key: what". `name` stands for the
// file. With `context.duration` the times of profile, start, end and claims are stretched or
// compressed by the same factor; rates stay.
std::expected<Scenario, std::vector<std::string>> parse_scenario(std::string_view text,
                                                                 const std::string& name,
                                                                 const ScenarioContext& context);
std::expected<Scenario, std::vector<std::string>> read_scenario(const std::string& file,
                                                                ScenarioContext context);

}  // namespace revcache::bench
