// The files of deploy/windows, compiled in.
#pragma once

#include <span>
#include <string_view>

namespace revcache::commands {

struct KitTemplate {
  std::string_view name;  // of the file: "Install-Revcache.ps1"
  std::string_view text;  // ASCII, lines end with LF
};

// Static storage. Scripts are written as they are; README.txt and gpo.html have places to fill in
// ("@URL@").
std::span<const KitTemplate> kit_templates() noexcept;

}  // namespace revcache::commands
