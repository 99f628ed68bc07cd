// The command line of `windows-kit`.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "config/windows_kit_arguments.h"

namespace revcache::config {

// Declares it in `app`; both outlive it.
class WindowsKitVerb {
 public:
  explicit WindowsKitVerb(CLI::App& app);

  [[nodiscard]] bool parsed() const { return verb_->parsed(); }
  [[nodiscard]] const std::string& file() const noexcept { return file_; }  // of --config
  [[nodiscard]] const WindowsKitArguments& arguments() const noexcept { return arguments_; }

 private:
  std::string file_;
  WindowsKitArguments arguments_;
  CLI::App* verb_ = nullptr;
};

}  // namespace revcache::config
