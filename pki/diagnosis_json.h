// The result of `revcache check` as JSON, schema 1. Keys are only ever added within a schema.
#pragma once

#include <string>

#include "pki/diagnosis.h"

namespace revcache::pki {

// Indented, with a line break at its end. Octets that are no UTF-8 become U+FFFD.
std::string diagnosis_json(const Diagnosis& diagnosis);

}  // namespace revcache::pki
