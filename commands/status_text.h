// The JSON of /api/v1/status, crls and upstreams as text for people. What the instance sent is made
// fit for a terminal; members that are missing or of another type are left out. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace revcache::commands {

struct StatusAnswers {
  const nlohmann::ordered_json& status;
  const nlohmann::ordered_json& crls;       // null: it was not told
  const nlohmann::ordered_json& upstreams;  // alike
};

// The first line is the verdict: "NPS can authenticate: yes". Ends with a line break.
std::string status_text(const StatusAnswers& answers, bool colour);

}  // namespace revcache::commands
