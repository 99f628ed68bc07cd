// The content of the kit's files. Pure. What comes from configuration and certificates goes into
// data only (JSON, HTML with everything escaped, hexadecimal): no script has any of it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "commands/windows_kit_facts.h"
#include "config/config.h"

namespace revcache::commands {

// Name of the file → its octets, as Windows wants them.
using KitFiles = std::map<std::string, std::string>;

// All but the manifest. Scripts and text with CRLF; with a byte order mark what Windows PowerShell
// 5.1 or Notepad would otherwise take for the local code page.
KitFiles kit_files(const KitFacts& facts, const config::Config& config);

// For certutil -repairstore: certificate property 81 with this DER; empty: without it.
std::string property_inf(ByteView der);

// Safe in the text and in quoted attributes of HTML.
std::string html_escaped(std::string_view text);

}  // namespace revcache::commands
