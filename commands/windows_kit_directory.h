// The directory that a kit is written to. Blocking.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "commands/windows_kit_text.h"

namespace revcache::commands {

inline constexpr std::string_view kKitManifest = "manifest.json";
inline constexpr std::size_t kKitManifestBytesMax = 1U << 20U;

struct KitWritten {
  std::size_t files = 0;             // the manifest included
  std::vector<std::string> removed;  // of an older kit, no longer part of it
  std::vector<std::string> left;     // the same, but changed since: not ours to remove
};

// Writes `files` and a manifest with their SHA-256; makes the directory when it is not there. A
// file that is there is replaced only if the manifest there says that it is as it was written, and
// each is replaced at once or not at all. Otherwise nothing is written. Fails (blame local) with
// refused (a file is foreign or was changed, two names differ in case alone), malformed (the
// manifest) or unreachable (cannot be written).
Result<KitWritten> write_kit(const std::filesystem::path& directory, const KitFiles& files);

}  // namespace revcache::commands
