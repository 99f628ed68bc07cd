// The findings of `check`: one function for each thing that can be wrong, so that a text is changed
// in one place. Pure. Texts quote names and details as they are: whoever prints them escapes them.
#pragma once

#include <vector>

#include "pki/diagnosis.h"

namespace revcache::pki {

Finding chain_finding(const LinkFault& fault);

// No CDP, and no OCSP responder either. `issuer` may be null.
Finding cdp_missing(const CertificateDiagnosis& one, const Certificate* issuer, Profile profile);

// Evidence that is not used, and why; nullopt when it is. `matters`: the status is not known.
std::optional<Finding> evidence_finding(const JudgedEvidence& judged, bool matters);

// What else a CA certificate says that was not evaluated.
std::vector<Finding> remarks(const CertificateDiagnosis& one, Profile profile);

// diagnosis_lint.cc: what a leaf of an Intune SCEP profile should have.
std::vector<Finding> lint_leaf(const Certificate& leaf);

}  // namespace revcache::pki
