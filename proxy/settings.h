// What a configuration amounts to for the workers. Immutable; shared by all; replaced as a whole on
// reload, while requests under way keep what they began with.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "config/config.h"
#include "pki/certificate.h"
#include "proxy/access_control.h"

namespace revcache::proxy {

struct Settings {
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const AccessControl> access;
  // By authority name, read when the settings were made.
  std::map<std::string, pki::CertificatePtr, std::less<>> authority_certificates;
};

}  // namespace revcache::proxy
