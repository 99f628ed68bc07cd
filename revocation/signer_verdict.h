// What a look at a signer says about it, for one authority and in words for the log. Pure, but that
// signatures of certificates are verified: pool threads and start-up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "pki/certificate.h"
#include "pki/signer.h"
#include "pki/signer_check.h"

namespace revcache::revocation {

// As an administrator names it: `signer "ocsp"`.
std::string quoted(std::string_view kind, std::string_view name);

// Of the findings of at least this severity, with "; " between them.
std::string texts(const std::vector<pki::SignerFinding>& findings, pki::SignerSeverity least);

// Why `signer` must not sign for the authority of this name, whatever the date, and what to do.
// Empty: it may, while it is valid.
std::string not_entitled(const pki::Signer& signer, std::string_view authority_name,
                         const pki::Certificate& authority, WallTime now);

// The earliest notAfter of the signer's certificate and of those that a client's path to it needs.
//
// Of a signer that the authority delegated, that is the authority's: RFC 6960 4.2.2.2 wants it
// issued by the authority directly, so that further certificates of its file vouch for nothing. Of
// an independent one, the chain of its file, as far as each did issue the one before it. Of the
// authority's own key none: clients know it by the certificate that they ask about.
//
// One of those that vouch and is over already does not count: a CA that was renewed under its old
// key vouches by a certificate that clients have and the file has not, and a client without one
// refuses our answers whatever their nextUpdate.
WallSeconds vouched_until(const pki::Signer& signer, const pki::CertificatePtr& authority,
                          WallTime now);

// SHA-256 of all that answers embed.
pki::Sha256 certificates_hash(const pki::Signer& signer);

}  // namespace revcache::revocation
