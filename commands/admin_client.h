// Talks to the admin API of a running instance (docs/operations.md). Blocking.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "commands/http_client.h"
#include "commands/surroundings.h"
#include "config/admin_arguments.h"

namespace revcache::commands {

inline constexpr std::size_t kAdminAnswerBytesMax = std::size_t{64} << 20U;
// Longer than the server waits for what it was asked for.
inline constexpr std::chrono::seconds kAdminTimeout{40};
inline constexpr std::chrono::seconds kAdminPurgeTimeout{620};

// One call. `body` null: GET, else POST. Gives the exit code; on success what the instance
// answered is in `answer`, and with --json it has been written to `out`. What is wrong goes to
// `err`; on a terminal a POST that takes long shows there that it is waited for.
int call_admin(const config::AdminArguments& arguments, const Surroundings& surroundings,
               std::string_view path, const nlohmann::ordered_json* body,
               nlohmann::ordered_json& answer);

// A member that is a string, made fit for a terminal; empty where there is none.
std::string printable_member(const nlohmann::ordered_json& json, const char* name);

}  // namespace revcache::commands
