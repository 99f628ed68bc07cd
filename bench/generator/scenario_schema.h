// The keys of a scenario file, bound to a Scenario: read by the reader of the product's own
// configuration, with its messages for misspelt keys.
#pragma once

#include "bench/generator/scenario.h"
#include "config/schema.h"

namespace revcache::bench {

// Bound to `scenario`, which must outlive it.
config::Schema scenario_schema(Scenario& scenario);

}  // namespace revcache::bench
