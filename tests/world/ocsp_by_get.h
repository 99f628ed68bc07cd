// OCSP questions as GET asks them in a world, and what an answer says.
#pragma once

#include <string>

#include "base/base64.h"
#include "base/bytes.h"
#include "pki/ocsp_response.h"
#include "tests/world/world.h"

namespace revcache::sim {

// The path of a question (its DER), RFC 6960 A.1.
inline std::string path_of_question(const std::string& der) {
  return "/ocsp/" + base64_in_path(as_bytes(der));
}

// What an answer says of one serial: "good", "revoked", or the status of a refusal.
inline std::string word_of(const ClientAnswer& answer) {
  if (!answer.complete) return "broken";
  if (answer.status != 200) return std::to_string(answer.status);
  const auto parsed = pki::parse_ocsp_response(SharedBytes::copy_of(answer.body));
  if (!parsed) return "malformed";
  return std::string(to_string((*parsed)->responses.front().status));
}

}  // namespace revcache::sim
