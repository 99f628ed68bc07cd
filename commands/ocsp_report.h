// What an OCSP response says and whether it was accepted, for people and as JSON. Pure.
#pragma once

#include <optional>
#include <string>

#include "pki/ocsp_response.h"
#include "pki/refusal.h"

namespace revcache::commands {

struct OcspReport {
  std::string source;
  std::string cache_status;
  std::optional<double> elapsed_ms;
  pki::ParsedOcspResponsePtr response;
  bool judged = false;  // else only shown
  std::optional<pki::Refused> refused;
  std::optional<pki::ResponderKind> responder;  // when accepted
};

std::string ocsp_text(const OcspReport& report, bool colour);
std::string ocsp_json(const OcspReport& report);

}  // namespace revcache::commands
