// What tests/testdata/make_chain.py made, read for tests.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "pki/certificate.h"
#include "pki/diagnosis_evidence.h"

namespace revcache::pki {

// 2026-12-01, in the middle of what is valid there.
inline constexpr WallTime kChainTime{std::chrono::sys_days{std::chrono::year{2026} / 12 / 1}};
inline constexpr std::uint64_t kHashSeed = 1;

inline std::string chain_file(const std::string& name) {
  std::ifstream file(std::string(REVCACHE_TESTDATA) + "/chain/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return std::move(bytes).str();
}

inline CertificatePtr chain_certificate(const std::string& name) {
  auto parsed = parse_certificates(chain_file(name + ".pem"));
  EXPECT_TRUE(parsed) << name << ": " << parsed.error().detail;
  return parsed->front();
}

inline std::vector<CertificatePtr> chain_certificates(std::initializer_list<const char*> names) {
  std::vector<CertificatePtr> all;
  for (const char* name : names) all.push_back(chain_certificate(name));
  return all;
}

// "issuing.crl" or "user_good.ocsp", as if given in a file of that name.
inline Evidence chain_evidence(const std::string& name) {
  Evidence evidence;
  evidence.source = name;
  auto bytes = SharedBytes::take(chain_file(name));
  if (name.ends_with(".crl")) {
    evidence.kind = EvidenceKind::crl;
    evidence.crl = parse_crl(std::move(bytes), kHashSeed).value();
  } else {
    evidence.kind = EvidenceKind::ocsp;
    evidence.ocsp = parse_ocsp_response(std::move(bytes)).value();
  }
  return evidence;
}

inline std::vector<Evidence> chain_evidence(const std::vector<std::string>& names) {
  std::vector<Evidence> all;
  for (const auto& name : names) all.push_back(chain_evidence(name));
  return all;
}

}  // namespace revcache::pki
