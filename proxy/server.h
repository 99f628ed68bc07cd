// The whole server: starts the workers and the admin port, reloads, drains. Lives on the main
// thread and its own event loop.
#pragma once

#include <memory>

#include "config/config.h"
#include "config/load.h"

namespace revcache::proxy {

// Runs until SIGTERM or SIGINT. `source` is loaded again on SIGHUP. Gives the exit code of the
// process; what is wrong at start goes to standard error.
int serve(config::Config config, const config::Source& source);

}  // namespace revcache::proxy
