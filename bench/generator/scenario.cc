#include "bench/generator/scenario.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "bench/generator/scenario_schema.h"
#include "config/document.h"
#include "config/reader.h"
#include "http/uri.h"

namespace revcache::bench {
namespace {

using config::Position;
using std::chrono::milliseconds;

// Rules between keys, with the place of what breaks them.
class Checking {
 public:
  Checking(Scenario& scenario, const ScenarioContext& context, const config::Positions& positions)
      : scenario_(scenario), context_(context), positions_(positions) {}

  std::vector<config::Finding> run() {
    if (scenario_.name.empty()) complain("scenario.name", "is missing");
    check_counts();
    for (std::size_t at = 0; at < scenario_.objects.size(); ++at) check_object(at);
    for (std::size_t at = 0; at < scenario_.loads.size(); ++at) check_load(at);
    for (std::size_t at = 0; at < scenario_.claims.size(); ++at) check_claim(at);
    return std::move(findings_);
  }

 private:
  void complain(const std::string& key, const std::string& message) {
    Position position;
    for (std::string at = key; !at.empty(); at.resize(parent_size(at))) {
      const auto found = positions_.find(at);
      if (found == positions_.end()) continue;
      position = found->second;
      break;
    }
    findings_.push_back({position, key + ": " + message});
  }

  static std::size_t parent_size(const std::string& key) {
    const std::size_t cut = key.find_last_of(".[");
    return cut == std::string::npos ? 0 : cut;
  }

  void check_counts() {
    if (scenario_.objects.empty()) complain("object", "nothing to ask for: write an [[object]]");
    if (scenario_.objects.size() > kObjectsMax) complain("object", "more than 10000 of these");
    if (scenario_.loads.empty()) complain("load", "nobody asks: write a [[load]]");
    if (scenario_.loads.size() > kLoadsMax) complain("load", "more than 16 of these");
  }

  void check_object(std::size_t at) {
    Object& object = scenario_.objects[at];
    const std::string key = "object[" + std::to_string(at) + "]";
    if (object.name.empty()) complain(key + ".name", "is missing");
    for (std::size_t other = 0; other < at; ++other) {
      if (scenario_.objects[other].name == object.name) {
        complain(key + ".name", "\"" + object.name + "\" is there twice");
      }
    }
    replace_sets(object.url, key + ".url");
    for (std::string& body : object.bodies) replace_sets(body, key + ".bodies");
    replace_sets(object.question, key + ".question");
    const bool is_http = object.url.starts_with("http://");
    if (!is_http) complain(key + ".url", "must begin with http://");
    std::string storage;
    if (is_http && !http::parse_absolute_form(plain_url(object), storage)) {
      complain(key + ".url", "is no URL");
    }
    if (object.serials > 1 && object.question.empty()) {
      complain(key + ".serials", "needs a question");
    }
    const bool numbered = object.url.find("{n}") != std::string::npos;
    if (object.copies > 1 && !numbered) complain(key + ".copies", "the url has no {n}");
    for (std::string& body : object.bodies) body = absolute(body);
    if (!object.question.empty()) object.question = absolute(object.question);
  }

  static std::string plain_url(const Object& object) {
    std::string url = object.url;
    for (std::size_t at = url.find("{n}"); at != std::string::npos; at = url.find("{n}")) {
      url.replace(at, 3, "0");
    }
    return url;
  }

  std::string absolute(const std::string& file) const {
    const std::filesystem::path path(file);
    return path.is_absolute() ? file : (std::filesystem::path(context_.directory) / path).string();
  }

  // {origin} becomes what --set origin=… says; {n} stays.
  void replace_sets(std::string& text, const std::string& key) {
    std::size_t begin = 0;
    while ((begin = text.find('{', begin)) != std::string::npos) {
      const std::size_t end = text.find('}', begin);
      if (end == std::string::npos) return;
      const std::string name = text.substr(begin + 1, end - begin - 1);
      const auto found = context_.sets.find(name);
      if (name == "n") {
        begin = end;
      } else if (found == context_.sets.end()) {
        complain(key, "what is {" + name + "}? say --set " + name + "=…");
        begin = end;
      } else {
        text.replace(begin, end - begin + 1, found->second);
        begin += found->second.size();
      }
    }
  }

  void check_load(std::size_t at) {
    Load& load = scenario_.loads[at];
    const std::string key = "load[" + std::to_string(at) + "]";
    if (load.name.empty()) complain(key + ".name", "is missing");
    if (load.steps.empty()) complain(key + ".steps", "is missing: name the objects to ask for");
    for (const std::string& step : load.steps) {
      const auto found = std::ranges::find(scenario_.objects, step, &Object::name);
      if (found == scenario_.objects.end()) {
        complain(key + ".steps", "there is no object \"" + step + "\"");
        continue;
      }
      load.objects.push_back(static_cast<std::size_t>(found - scenario_.objects.begin()));
    }
    const bool posts_crl = load.method == Method::post &&
                           std::ranges::any_of(load.objects, [this](std::size_t object) {
                             return scenario_.objects[object].question.empty();
                           });
    if (posts_crl) complain(key + ".method", "only an object with a question can be posted");
    check_arrivals(load, key);
    if (load.clients > 0 && load.client_keep == milliseconds(0)) {
      complain(key + ".clients", "needs client_keep: how long a client uses what it has");
    }
  }

  void check_arrivals(Load& load, const std::string& key) {
    ArrivalPlan& plan = load.arrivals;
    if (plan.kind == ArrivalKind::burst) {
      if (plan.burst == 0) complain(key + ".burst", "is missing: how many at once");
      if (plan.every <= nanoseconds(0))
        complain(key + ".every", "is missing: how long between bursts");
      if (!plan.profile.empty()) complain(key + ".arrivals", "a burst has no rate");
    } else if (plan.profile.empty()) {
      complain(key + ".rate", "is missing, and so is profile");
    }
    if (!std::ranges::is_sorted(plan.profile, {}, &RatePoint::at)) {
      complain(key + ".profile", "must be in the order of time");
    }
    if (plan.end == nanoseconds(0)) plan.end = scenario_.duration;
    if (plan.end > scenario_.duration) complain(key + ".end", "is after the scenario's duration");
    if (plan.start >= plan.end) complain(key + ".start", "is not before the end");
  }

  void check_claim(std::size_t at) {
    Claim& claim = scenario_.claims[at];
    const std::string key = "claim[" + std::to_string(at) + "]";
    if (claim.text.empty()) complain(key + ".text", "is missing: say what is claimed");
    if (!claim.failed_max && !claim.waited_max && !claim.wrong_max && !claim.latency_max) {
      complain(key + ".text",
               "nothing to check: set failed_max, waited_max, wrong_max or latency_max");
    }
    if (claim.until == milliseconds(0)) claim.until = scenario_.duration;
    if (claim.from >= claim.until) complain(key + ".from", "is not before until");
    if (claim.load.empty()) return;
    const auto found = std::ranges::find(scenario_.loads, claim.load, &Load::name);
    if (found == scenario_.loads.end()) {
      complain(key + ".load", "there is no load \"" + claim.load + "\"");
    } else {
      claim.load_index = static_cast<std::size_t>(found - scenario_.loads.begin());
    }
  }

  Scenario& scenario_;
  const ScenarioContext& context_;
  const config::Positions& positions_;
  std::vector<config::Finding> findings_;
};

void stretch(Scenario& scenario, milliseconds duration) {
  const double factor =
      static_cast<double>(duration.count()) / static_cast<double>(scenario.duration.count());
  const auto scaled = [factor](auto time) {
    return decltype(time)(static_cast<std::int64_t>(static_cast<double>(time.count()) * factor));
  };
  scenario.duration = duration;
  for (Load& load : scenario.loads) {
    for (RatePoint& point : load.arrivals.profile) point.at = scaled(point.at);
    load.arrivals.start = scaled(load.arrivals.start);
    load.arrivals.end = std::min<nanoseconds>(scaled(load.arrivals.end), duration);
  }
  for (Claim& claim : scenario.claims) {
    claim.from = scaled(claim.from);
    claim.until = scaled(claim.until);
  }
}

std::string message_of(const std::string& name, const config::Finding& finding) {
  std::string place = name;
  if (finding.position.line != 0) {
    place +=
        ':' + std::to_string(finding.position.line) + ':' + std::to_string(finding.position.column);
  }
  return place + ": " + finding.message;
}

}  // namespace

std::expected<Scenario, std::vector<std::string>> parse_scenario(std::string_view text,
                                                                 const std::string& name,
                                                                 const ScenarioContext& context) {
  const auto root = config::parse_document(text);
  if (!root) return std::unexpected(std::vector{message_of(name, root.error())});
  Scenario scenario;
  const config::ReadOutcome read = config::read_document(*root, scenario_schema(scenario));
  std::vector<config::Finding> findings = read.findings.all();
  // Rules between keys mean little while single values are wrong.
  if (findings.empty()) findings = Checking(scenario, context, read.positions).run();
  if (!findings.empty()) {
    // In the order of the file; those of one place keep theirs.
    std::multimap<std::pair<std::uint32_t, std::uint32_t>, std::string> by_place;
    for (const config::Finding& finding : findings) {
      by_place.emplace(std::pair(finding.position.line, finding.position.column),
                       message_of(name, finding));
    }
    std::vector<std::string> messages;
    for (auto& [place, message] : by_place) messages.push_back(std::move(message));
    return std::unexpected(std::move(messages));
  }
  if (context.duration) stretch(scenario, *context.duration);
  if (context.seed) scenario.seed = *context.seed;
  return scenario;
}

std::expected<Scenario, std::vector<std::string>> read_scenario(const std::string& file,
                                                                ScenarioContext context) {
  std::ifstream input(file, std::ios::binary);
  if (!input) return std::unexpected(std::vector{file + ": cannot be read"});
  std::ostringstream text;
  text << input.rdbuf();
  if (context.directory.empty()) {
    context.directory = std::filesystem::path(file).parent_path().string();
  }
  return parse_scenario(std::move(text).str(), file, context);
}

}  // namespace revcache::bench
