// What a server asks of its process before it serves.
#pragma once

#include <cstdint>
#include <string>

#include "config/config.h"
#include "net/uv_background_work.h"

namespace revcache::proxy {

// As many descriptors as the system lets us have: each connection is one.
void raise_descriptor_limit();

// Event loops to run: `configured`, or one per core when that is 0.
unsigned worker_count(unsigned configured);

// By which loops are found (CDN-Loop, RFC 8586): unlike any other instance's.
std::string instance_id(std::uint64_t seed);

net::WorkLimits::Options work_options(const config::Limits& limits);

// Where a service manager wants to hear of us; empty: nowhere. Before any other thread exists.
std::string notify_address();

}  // namespace revcache::proxy
