#include "admin/api_check.h"

#include <utility>

#include "admin/api.h"
#include "admin/api_json.h"
#include "base/base64.h"

namespace revcache::admin {
namespace {

std::unexpected<Answer> not_so(std::string_view text) {
  return std::unexpected(api_error(400, text));
}

std::expected<std::vector<pki::CertificatePtr>, Answer> read_chain(const std::string& encoded) {
  if (encoded.empty()) return not_so("\"chain\" is missing");
  const auto octets = from_base64(encoded);
  if (!octets || octets->empty()) {
    return not_so("chain: to be base64, padded and without line breaks, of PEM, DER or PKCS#7");
  }
  auto chain = pki::parse_certificates(*octets);
  if (!chain) return not_so("chain: " + chain.error().detail);
  if (chain->empty()) return not_so("chain: no certificate is in it");
  if (chain->size() > kCheckCertificatesMax) {
    return not_so("chain: more than " + std::to_string(kCheckCertificatesMax) + " certificates");
  }
  return *std::move(chain);
}

}  // namespace

std::expected<CheckQuestion, Answer> read_check_question(std::string_view body) {
  const auto json = Json::parse(body, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return not_so("the body is no JSON object");
  for (const auto& [name, value] : json.items()) {
    if (name != "chain" && name != "profile") {
      return not_so('"' + name + "\" is no member of this request");
    }
    if (!value.is_string()) return not_so('"' + name + "\" is to be a string");
  }
  const auto profile = json.value("profile", std::string("nps"));
  if (profile != "nps" && profile != "rfc5280") {
    return not_so("profile: \"nps\" or \"rfc5280\"");
  }
  auto chain = read_chain(json.value("chain", std::string()));
  if (!chain) return std::unexpected(std::move(chain).error());
  return CheckQuestion{.chain = *std::move(chain),
                       .profile = profile == "nps" ? pki::Profile::nps : pki::Profile::pkix};
}

Answer check_answer(Done<std::string> json) {
  if (!json) return problem_answer(json.error());
  return {.content_type = kJson, .body = *std::move(json)};
}

}  // namespace revcache::admin
