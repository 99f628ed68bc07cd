// The verbs check, crl and ocsp on the command line.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>

#include "config/command_line.h"

namespace revcache::config {

// Declares them in `app`; both outlive it.
class EvidenceVerbs {
 public:
  explicit EvidenceVerbs(CLI::App& app);

  // Which of them was named, after parsing.
  [[nodiscard]] std::optional<Verb> parsed() const;
  [[nodiscard]] const EvidenceArguments& arguments() const noexcept { return arguments_; }

 private:
  void declare_check(CLI::App& app);
  void declare_crl(CLI::App& app);
  void declare_ocsp(CLI::App& app);
  void add_fetching(CLI::App& verb);
  void add_common(CLI::App& verb);

  EvidenceArguments arguments_;
  CLI::App* check_ = nullptr;
  CLI::App* crl_show_ = nullptr;
  CLI::App* crl_fetch_ = nullptr;
  CLI::App* ocsp_show_ = nullptr;
  CLI::App* ocsp_ask_ = nullptr;
  CLI::App* ocsp_verify_ = nullptr;
};

}  // namespace revcache::config
