// Entries of the audit trail that the admin API makes: every change has its own, durably, before it
// is made.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "revocation/state_store.h"

namespace revcache::proxy {

// `authority`: whom it concerns. More members may be added.
nlohmann::ordered_json audit_entry(std::string_view change, const std::string& authority,
                                   const std::string& by);

// Blocking: pool threads.
Result<void> enter_audit(revocation::StateStore& state, nlohmann::ordered_json entry, WallTime now);

}  // namespace revcache::proxy
