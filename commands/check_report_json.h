// The result of `revcache check` as JSON, schema 1. Keys are only ever added within a schema.
#pragma once

#include <string>

#include "pki/diagnosis.h"

namespace revcache::commands {

// Indented, with a line break at its end. Octets that are no UTF-8 become U+FFFD.
std::string check_json(const pki::Diagnosis& diagnosis);

}  // namespace revcache::commands
