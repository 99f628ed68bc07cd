// What the verbs that look at certificates, CRLs and OCSP answers are told on the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace revcache::config {

enum class CheckProfile : std::uint8_t { nps, pkix };

// Each verb uses some of it; names of files and URLs are as they were written.
struct EvidenceArguments {
  std::string input;               // the chain, the CRL (or its URL)
  std::vector<std::string> trust;  // --trust
  std::vector<std::string> extra;  // --extra
  std::vector<std::string> crls;   // --crl
  std::vector<std::string> ocsp;   // --ocsp
  std::string certificate;         // ocsp ask --cert
  std::string issuer;              // ocsp ask --issuer
  std::string url;                 // ocsp ask --url
  std::string output;              // -o; empty: not kept
  std::string via;                 // the proxy to fetch by; empty: directly
  std::optional<std::int64_t> at;  // seconds since 1970
  std::optional<std::int64_t> age_max_s;
  CheckProfile profile = CheckProfile::nps;
  bool offline = false;
  bool allow_sha1 = false;
  bool json = false;
};

}  // namespace revcache::config
