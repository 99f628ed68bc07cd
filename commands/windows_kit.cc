#include "commands/windows_kit.h"

#include <ostream>
#include <string>

#include "commands/terminal_text.h"
#include "commands/windows_kit_directory.h"
#include "commands/windows_kit_facts.h"
#include "commands/windows_kit_text.h"
#include "config/load.h"

namespace revcache::commands {
namespace {

constexpr const char* kName = "revcache windows-kit: ";

int refuse(const Error& error, std::ostream& err) {
  err << kName << printable(error.detail) << '\n';
  return config::kExitUsage;
}

void tell(const KitFacts& facts, const KitWritten& written, const std::string& directory,
          std::ostream& out) {
  out << directory << ": " << written.files << " files\n";
  for (const std::string& name : written.removed) {
    out << "  removed " << printable(name) << ", which is no longer part of the kit\n";
  }
  for (const std::string& name : written.left) {
    out << "  left " << printable(name) << ": no longer part of the kit, but changed since\n";
  }
  for (const KitAuthority& authority : facts.authorities) {
    out << '\n'
        << authority.name << ": "
        << printable(pki::name_text(authority.certificate.certificate->subject)) << "\n  OCSP URL "
        << authority.ocsp_url << ", signer " << pki::to_string(authority.signer_kind) << '\n';
    for (const KitCertificate& one : authority.trust) {
      out << "  to be trusted: " << one.file << ", SHA-256 "
          << pki::hex(pki::sha256(one.certificate->der.bytes())) << '\n';
    }
  }
  out << "\nCopy the directory to each NPS server and go on with its README.txt.\n";
}

}  // namespace

int run_windows_kit(const config::CommandLine& line, WallTime now, std::ostream& out,
                    std::ostream& err) {
  const config::LoadResult loaded = config::load(line.source);
  if (!loaded) {
    for (const config::ConfigError& error : loaded.error()) err << error.to_string() << '\n';
    return config::kExitUsage;
  }
  const auto facts = gather_kit_facts(*loaded, line.windows_kit, now);
  if (!facts) return refuse(facts.error(), err);
  const auto written = write_kit(line.windows_kit.directory, kit_files(*facts, *loaded));
  if (!written) return refuse(written.error(), err);
  for (const std::string& warning : facts->warnings) {
    err << kName << "warning: " << printable(warning) << '\n';
  }
  tell(*facts, *written, line.windows_kit.directory, out);
  return config::kExitOk;
}

}  // namespace revcache::commands
