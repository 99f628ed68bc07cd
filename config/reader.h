// Reads a parsed document into a Config through its schema: every finding, and where each key
// stands, for messages of later checks.
#pragma once

#include <map>
#include <string>

#include "config/document.h"
#include "config/field.h"
#include "config/schema.h"

namespace revcache::config {

// "listen.proxy", "authority[0].attest[1].until" → its value; "authority[0]" → its table.
using Positions = std::map<std::string, Position, std::less<>>;

struct ReadOutcome {
  Findings findings;
  Positions positions;
};

// `root` is the top of a document.
ReadOutcome read_document(const Value& root, const Schema& schema);

// Reads one value for the key `path` ("listen.proxy"; no list elements). Findings carry no place.
Findings read_override(const std::string& path, const Value& value, const Schema& schema);

}  // namespace revcache::config
