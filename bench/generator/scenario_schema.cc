#include "bench/generator/scenario_schema.h"

#include <array>
#include <utility>

#include "config/field.h"
#include "config/units.h"

namespace revcache::bench {
namespace {

using namespace std::chrono_literals;
using config::Field;
using config::Findings;
using config::Milliseconds;
using config::Parsed;
using config::Secrets;
using config::Value;

constexpr Milliseconds kRunMax = 24h;
constexpr double kZipfMax = 10;
constexpr std::int64_t kMillion = 1'000'000;

constexpr std::array<std::pair<Method, std::string_view>, 2> kMethods = {
    {{Method::get, "get"}, {Method::post, "post"}}};
constexpr std::array<std::pair<Form, std::string_view>, 6> kForms = {
    {{Form::cold, "cold"},
     {Form::revalidate, "revalidate"},
     {Form::revalidate_etag, "revalidate_etag"},
     {Form::revalidate_date, "revalidate_date"},
     {Form::no_cache, "no_cache"},
     {Form::max_age_0, "max_age_0"}}};
constexpr std::array<std::pair<Connections, std::string_view>, 2> kConnections = {
    {{Connections::kept, "kept"}, {Connections::fresh, "new"}}};
constexpr std::array<std::pair<ArrivalKind, std::string_view>, 3> kArrivals = {
    {{ArrivalKind::poisson, "poisson"},
     {ArrivalKind::even, "even"},
     {ArrivalKind::burst, "burst"}}};

std::string same_text(const std::string& text) { return text; }

Parsed<std::string> any_text(std::string_view text) { return std::string(text); }

std::string print_nothing(const RatePoint& /*point*/) { return {}; }

// "10s 200/s": from second 10 on, 200 a second.
Parsed<RatePoint> parse_rate_point(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) {
    return std::unexpected(std::string("must be a time and a rate, as \"10s 200/s\""));
  }
  const auto at = config::parse_duration(text.substr(0, space));
  if (!at) return std::unexpected(at.error());
  const auto rate = config::parse_rate(text.substr(space + 1));
  if (!rate) return std::unexpected(rate.error());
  return RatePoint{.at = *at, .per_second = rate->per_second};
}

Field decimal(double& place) {
  return {.read =
              [&place](const Value& value, Findings& findings) {
                const auto* whole = value.as<std::int64_t>();
                const auto* number = value.as<double>();
                if (whole == nullptr && number == nullptr) {
                  findings.add(value.position,
                               "expected a number, found " + std::string(config::type_name(value)));
                  return;
                }
                const double read = number != nullptr ? *number : static_cast<double>(*whole);
                if (read >= 0 && read <= kZipfMax) {
                  place = read;
                } else {
                  findings.add(value.position, "must be from 0 to 10");
                }
              },
          .write = [&place](Secrets) { return std::to_string(place); }};
}

Field constant_rate(std::vector<RatePoint>& place) {
  return {.read =
              [&place](const Value& value, Findings& findings) {
                config::Rate rate;
                const std::size_t before = findings.all().size();
                config::rate(rate).read(value, findings);
                if (findings.all().size() == before) place = {{.per_second = rate.per_second}};
              },
          .write = [](Secrets) { return std::string(); }};
}

Field bound(std::optional<std::uint64_t>& place) {
  return {.read =
              [&place](const Value& value, Findings& findings) {
                const auto number = config::expect_number(value, 0, kMillion * kMillion, findings);
                if (number) place = static_cast<std::uint64_t>(*number);
              },
          .write = [](Secrets) { return std::string(); }};
}

Field time_bound(std::optional<std::chrono::milliseconds>& place) {
  return {.read =
              [&place](const Value& value, Findings& findings) {
                const auto read = config::expect_duration(value, 0ms, kRunMax, findings);
                if (read) place = *read;
              },
          .write = [](Secrets) { return std::string(); }};
}

// A time of the run, which has the precision of the arrivals.
Field time_of_run(nanoseconds& place) {
  return {.read =
              [&place](const Value& value, Findings& findings) {
                const auto read = config::expect_duration(value, 0ms, kRunMax, findings);
                if (read) place = *read;
              },
          .write = [](Secrets) { return std::string(); }};
}

config::Table scenario_table(Scenario& scenario) {
  return {.keys = {{"name", "", config::free_text(scenario.name)},
                   {"about", "", config::free_text(scenario.about)},
                   {"compressed", "", config::free_text(scenario.compressed)},
                   {"duration", "", config::duration(scenario.duration, 100ms, kRunMax)},
                   {"timeout", "", config::duration(scenario.timeout, 10ms, 10min)},
                   {"seed", "", config::count(scenario.seed, 0)}},
          .lists = {}};
}

config::Table object_table(Object& object) {
  const config::Codec<std::string> text{.parse = any_text, .print = same_text};
  return {.keys = {{"name", "", config::free_text(object.name)},
                   {"url", "", config::free_text(object.url)},
                   {"question", "", config::free_text(object.question)},
                   {"serials", "",
                    config::count(object.serials, 1, static_cast<std::int64_t>(kSerialsMax))},
                   {"copies", "",
                    config::count(object.copies, 1, static_cast<std::int64_t>(kSerialsMax))},
                   {"zipf", "", decimal(object.zipf)},
                   {"bodies", "", config::list_of(object.bodies, text)},
                   {"may_change", "", config::flag(object.may_change)},
                   {"responder", "", config::flag(object.responder)}},
          .lists = {}};
}

config::Table load_table(Load& load) {
  const config::Codec<std::string> text{.parse = any_text, .print = same_text};
  const config::Codec<RatePoint> points{.parse = parse_rate_point, .print = print_nothing};
  ArrivalPlan& plan = load.arrivals;
  return {.keys = {{"name", "", config::free_text(load.name)},
                   {"steps", "", config::list_of(load.steps, text)},
                   {"method", "", config::choice(load.method, kMethods)},
                   {"form", "", config::choice(load.form, kForms)},
                   {"arrivals", "", config::choice(plan.kind, kArrivals)},
                   {"rate", "", constant_rate(plan.profile)},
                   {"profile", "", config::list_of(plan.profile, points)},
                   {"burst", "", config::count(plan.burst, 1, kMillion)},
                   {"every", "", time_of_run(plan.every)},
                   {"start", "", time_of_run(plan.start)},
                   {"end", "", time_of_run(plan.end)},
                   {"connection", "", config::choice(load.connection, kConnections)},
                   {"connections", "", config::count(load.connections_max, 1, 20'000)},
                   {"clients", "", config::count(load.clients, 0, kClientsMax)},
                   {"client_keep", "", config::duration(load.client_keep, 0ms, kRunMax)}},
          .lists = {}};
}

config::Table claim_table(Claim& claim) {
  return {.keys = {{"text", "", config::free_text(claim.text)},
                   {"load", "", config::free_text(claim.load)},
                   {"from", "", config::duration(claim.from, 0ms, kRunMax)},
                   {"until", "", config::duration(claim.until, 0ms, kRunMax)},
                   {"failed_max", "", bound(claim.failed_max)},
                   {"waited_max", "", bound(claim.waited_max)},
                   {"wrong_max", "", bound(claim.wrong_max)},
                   {"latency_max", "", time_bound(claim.latency_max)}},
          .lists = {}};
}

}  // namespace

config::Schema scenario_schema(Scenario& scenario) {
  config::Schema schema;
  schema.sections.push_back({"scenario", "", scenario_table(scenario)});
  schema.lists.push_back(
      {.name = "object",
       .comment = "",
       .append = [&scenario] { return object_table(scenario.objects.emplace_back()); },
       .all = [] { return std::vector<config::Table>(); }});
  schema.lists.push_back(
      {.name = "load",
       .comment = "",
       .append = [&scenario] { return load_table(scenario.loads.emplace_back()); },
       .all = [] { return std::vector<config::Table>(); }});
  schema.lists.push_back(
      {.name = "claim",
       .comment = "",
       .append = [&scenario] { return claim_table(scenario.claims.emplace_back()); },
       .all = [] { return std::vector<config::Table>(); }});
  return schema;
}

}  // namespace revcache::bench
