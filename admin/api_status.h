// The calls that only tell: status, authorities, crls, upstreams, config, as JSON, and
// /health/ca/<name> as text. docs/openapi.yaml has every member. Pure.
#pragma once

#include <string_view>

#include "admin/answer.h"
#include "admin/operations.h"
#include "admin/status.h"

namespace revcache::admin {

Answer status_answer(const StatusReport& report);
Answer authorities_answer(const StatusReport& report);
Answer crls_answer(const StatusReport& report);
Answer upstreams_answer(const StatusReport& report);
Answer config_answer(const ShownConfig& config);

// For load balancers and monitoring: 200 while NPS can authenticate with certificates of this
// authority, 503 and why not, 404 when none has that name. What is at risk, and what concerns the
// whole instance, is named in the text.
Answer health_answer(const Done<StatusReport>& report, std::string_view authority);

}  // namespace revcache::admin
