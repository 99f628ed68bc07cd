// What the command line says to `revcache signer new`.
#pragma once

#include <cstdint>
#include <string>

namespace revcache::config {

inline constexpr std::int64_t kSignerDaysMax = 3650;

struct SignerArguments {
  std::string name;  // becomes the [[signer]]'s name and that of its files
  bool csr = false;  // a request for somebody's CA instead of a self-signed certificate
  std::string key_type = "p256";  // p256, rsa2048 or rsa3072
  std::int64_t days = 365;        // 1 to kSignerDaysMax
  std::string directory = ".";
};

}  // namespace revcache::config
