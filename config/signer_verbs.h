// The verb signer on the command line.
#pragma once

#include <CLI/CLI.hpp>

#include "config/signer_arguments.h"

namespace revcache::config {

// Declares it in `app`; both outlive it.
class SignerVerbs {
 public:
  explicit SignerVerbs(CLI::App& app);

  // `signer new` was named, after parsing.
  [[nodiscard]] bool parsed_new() const { return new_->parsed(); }
  [[nodiscard]] const SignerArguments& arguments() const noexcept { return arguments_; }

 private:
  SignerArguments arguments_;
  CLI::App* new_ = nullptr;
};

}  // namespace revcache::config
