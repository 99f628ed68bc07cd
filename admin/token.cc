#include "admin/token.h"

#include <openssl/crypto.h>

#include <utility>

#include "config/secret_file.h"
#include "http/message.h"

namespace revcache::admin {

bool presents_token(std::string_view authorization, std::string_view token) noexcept {
  // RFC 9110 11.1: the scheme's name is case-insensitive.
  static constexpr std::string_view kScheme = "Bearer ";
  if (!http::equals_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return false;
  std::string_view given = authorization.substr(kScheme.size());
  given.remove_prefix(std::min(given.find_first_not_of(' '), given.size()));
  // The length of a token is no secret.
  if (given.size() != token.size() || token.empty()) return false;
  return CRYPTO_memcmp(given.data(), token.data(), token.size()) == 0;
}

Result<std::string> configured_token(const config::Config& config) {
  if (config.admin.token_file.empty() && config.listen.admin.ip.is_loopback()) {
    return std::string();
  }
  auto token = config::read_secret_file(config.admin.token_file);
  if (!token) {
    return fail(ErrorCode::refused, Blame::local,
                "admin.token_file: " + config.admin.token_file + ' ' + token.error());
  }
  return std::move(*token);
}

}  // namespace revcache::admin
