// Private keys inside PKCS#11 tokens, through OpenSSL's engine of that name (Debian package
// libengine-pkcs11-openssl, which loads the token's module by p11-kit). Nothing else here names
// ENGINE, which OpenSSL has deprecated but whose successor Debian 12 does not have.
//
// The engine is one per process and so is its module: p11-kit's proxy, which offers every module
// that the system knows, or what the environment variable PKCS11_MODULE_PATH names.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "pki/signer_key.h"

namespace revcache::pki {

// "pkcs11:" and what follows (RFC 7512).
bool is_pkcs11_uri(std::string_view text) noexcept;

// The URI as it may be logged: the PIN and the command or file that gives it are left out.
std::string without_pin(std::string_view uri);

// Opens the token, logs in with the URI's pin-value or pin-source (a file), finds the key.
// Blocking; waits until no key of a token signs. Never asks for a PIN. A wrong one counts against
// the token's limit: whoever repeats this does so seldom. Fails with refused (a URI that names a
// module), unreachable (no engine, token or key, wrong PIN); the detail never holds the PIN.
Result<SignerKeyPtr> open_pkcs11_key(const std::string& uri);

}  // namespace revcache::pki
