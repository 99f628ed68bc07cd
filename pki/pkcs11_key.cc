// The engine is libcrypto's own interface to tokens until a system has a provider for it.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "pki/pkcs11_key.h"

#include <openssl/crypto.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ui.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "base/check.h"
#include "pki/openssl_ptr.h"

namespace revcache::pki {
namespace {

constexpr std::string_view kScheme = "pkcs11:";

using UiMethodPtr = std::unique_ptr<UI_METHOD, FreeWith<UI_destroy_method>>;

// A functional reference: the engine stays initialized as long as a key of it lives.
struct ReleaseEngine {
  void operator()(ENGINE* engine) const noexcept {
    ENGINE_finish(engine);
    ENGINE_free(engine);
  }
};
using EnginePtr = std::unique_ptr<ENGINE, ReleaseEngine>;

// The engine's list of keys belongs to the process, as the engine does, and looking for a key
// changes it: exclusive for that, shared for signing. Never destroyed, since a key may be the last
// thing that a process lets go of.
std::shared_mutex& loading() {
  static auto& lock = *new std::shared_mutex;  // NOLINT(cppcoreguidelines-owning-memory)
  return lock;
}

std::unexpected<Error> unreachable(const std::string& what) {
  std::string reasons;
  while (const unsigned long error = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(error);
    if (reason == nullptr) continue;
    reasons += reasons.empty() ? ": " : "; ";
    reasons += reason;
  }
  return fail(ErrorCode::unreachable, Blame::local, what + reasons);
}

Result<EnginePtr> open_engine() {
  OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_DYNAMIC, nullptr);
  ENGINE* engine = ENGINE_by_id("pkcs11");
  if (engine == nullptr) {
    return unreachable(
        "OpenSSL has no engine \"pkcs11\" (Debian package libengine-pkcs11-openssl)");
  }
  if (ENGINE_init(engine) != 1) {
    ENGINE_free(engine);
    return unreachable("the engine \"pkcs11\" does not start");
  }
  EnginePtr ready(engine);
  // It would write URIs to standard error, PIN and all.
  if (ENGINE_ctrl_cmd_string(engine, "QUIET", nullptr, 0) != 1) {
    return unreachable("the engine \"pkcs11\" will not be quiet");
  }
  return ready;
}

// Asking on the terminal would make a service wait for ever, and an empty PIN would count as a
// wrong one: where the engine finds no PIN after all, it fails.
UiMethodPtr never_asks() {
  UiMethodPtr method(UI_create_method("no questions"));
  CHECK(method != nullptr);
  UI_method_set_reader(method.get(), [](UI*, UI_STRING*) { return 0; });
  return method;
}

// The name of an attribute, "pin-value" of "pin-value=1234".
std::string_view name_of(std::string_view attribute) noexcept {
  return attribute.substr(0, attribute.find('='));
}

// Calls visit(attribute) for each one between ";" in the path and "&" in the query of `uri`.
template <class Visit>
void for_each_attribute(std::string_view uri, const Visit& visit) {
  uri.remove_prefix(kScheme.size());
  while (!uri.empty()) {
    const std::size_t end = std::min(uri.find_first_of(";?&"), uri.size());
    visit(uri.substr(0, end));
    uri.remove_prefix(std::min(end + 1, uri.size()));
  }
}

// Why the URI is refused before any token hears of it; empty: it is not.
std::string_view objection(std::string_view uri) {
  bool has_pin = false;
  bool has_module = false;
  for_each_attribute(uri, [&](std::string_view attribute) {
    const std::string_view name = name_of(attribute);
    has_pin = has_pin || name == "pin-value" || name == "pin-source";
    has_module = has_module || name == "module-path" || name == "module-name";
  });
  if (has_module) {
    return " names a module: make it known to p11-kit, or name it in the environment variable "
           "PKCS11_MODULE_PATH, and leave it out of the URI";
  }
  // The engine would try the PIN of the last URI that had one, and so hand the secret of one token
  // to another and use up its attempts.
  if (!has_pin) return " names no PIN: add ?pin-source=file:PATH, a file that holds nothing else";
  return {};
}

}  // namespace

bool is_pkcs11_uri(std::string_view text) noexcept { return text.starts_with(kScheme); }

std::string without_pin(std::string_view uri) {
  std::string text(uri);
  for (const std::string_view secret : {"pin-value=", "pin-source="}) {
    for (std::size_t at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + 1)) {
      const std::size_t from = at + secret.size();
      const std::size_t end = std::min(text.find_first_of("&;", from), text.size());
      text.replace(from, end - from, "...");
    }
  }
  return text;
}

Result<SignerKeyPtr> open_pkcs11_key(const std::string& uri) {
  CHECK(is_pkcs11_uri(uri));
  if (const std::string_view wrong = objection(uri); !wrong.empty()) {
    return fail(ErrorCode::refused, Blame::local, without_pin(uri) + std::string(wrong));
  }
  const std::unique_lock alone(loading());
  ERR_clear_error();
  Result<EnginePtr> engine = open_engine();
  if (!engine) return fail(std::move(engine));
  const UiMethodPtr asking = never_asks();
  EVP_PKEY* key = ENGINE_load_private_key(engine->get(), uri.c_str(), asking.get(), nullptr);
  if (key == nullptr) return unreachable("no private key by " + without_pin(uri));
  const auto release = [shared = std::shared_ptr(*std::move(engine))](EVP_PKEY* unused) mutable {
    const std::unique_lock alone_again(loading());
    EVP_PKEY_free(unused);
    shared.reset();
  };
  std::shared_ptr<EVP_PKEY> owned(key, release);
  return std::make_shared<const SignerKey>(std::move(owned), &loading());
}

}  // namespace revcache::pki
