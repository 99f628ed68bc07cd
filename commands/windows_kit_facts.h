// What the Windows kit is about: the address of this instance, and for each authority with a signer
// what a Windows server must know of it. From the configuration and the files that it names.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "config/windows_kit_arguments.h"
#include "pki/certificate.h"
#include "pki/signer_check.h"

namespace revcache::commands {

// A certificate file of the kit.
struct KitCertificate {
  std::string file;  // "ca-contoso.cer"
  pki::CertificatePtr certificate;
  std::string store;  // of the machine: "Root", or "CA" for what is not self-issued
};

struct KitAuthority {
  std::string name;
  KitCertificate certificate;
  std::string ocsp_url;  // "http://host:3128/ocsp/<name>"
  std::string aia;       // DER of an AuthorityInfoAccessSyntax that names it
  std::string crl_url;   // empty: no CRL of it is configured
  pki::SignerKind signer_kind{};
  pki::CertificatePtr signer;
  std::vector<KitCertificate> trust;  // what the server must be told to trust: none, or the signer
};

struct KitFacts {
  std::string url;                        // "http://host:3128", as http::Uri writes it
  std::string host;                       // "host", "[::1]"
  std::string proxy;                      // "host:3128"
  bool others_denied = true;              // access.other_destinations
  std::vector<KitAuthority> authorities;  // at least one; no two names differ in case alone
  std::vector<std::string> warnings;      // for the administrator, one sentence each
};

// The private keys are not read. Blocking. Fails (blame local) with refused (no URL of ours is
// known, no such authority, none with a signer, a signer that may not sign, one CA twice),
// unreachable or malformed (a file). The detail says what to do.
Result<KitFacts> gather_kit_facts(const config::Config& config,
                                  const config::WindowsKitArguments& arguments, WallTime now);

// RFC 5280 4.2.2.1 with id-ad-ocsp. `url`: ASCII. Pure.
//   AuthorityInfoAccessSyntax ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE {
//     accessMethod OBJECT IDENTIFIER, accessLocation [6] IA5String }
std::string ocsp_access(std::string_view url);

}  // namespace revcache::commands
