// Certificates, CRLs and OCSP responses from files. Blocking. Fails with unreachable or malformed
// (blame client); the detail names the file, what is wrong and where.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "pki/certificate.h"
#include "pki/diagnosis_evidence.h"

namespace revcache::commands {

// PEM, DER or PKCS#7, any number of each.
Result<std::vector<pki::CertificatePtr>> load_certificates(const std::string& path);
Result<std::vector<pki::CertificatePtr>> load_certificates(std::span<const std::string> paths);

Result<pki::Evidence> load_crl(const std::string& path, std::uint64_t hash_seed);
Result<pki::Evidence> load_ocsp(const std::string& path);

}  // namespace revcache::commands
