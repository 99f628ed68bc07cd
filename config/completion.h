// Shell completion, made from the verbs and flags that the command line declares.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>

namespace revcache::config {

// `shell`: "bash" or "zsh". What a flag takes is told by its type name: FILE, DIR, or words
// separated by "|".
std::string completion_script(const CLI::App& app, std::string_view shell);

}  // namespace revcache::config
