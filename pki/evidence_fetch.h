// Fetches what certificates name: CRLs of their distribution points, OCSP answers, issuers. Each
// URL at most once. Blocking; one thread.
//
// Only plain http: what is fetched is signed, and a TLS check that needed a revocation check would
// go round in circles (RFC 5280 section 8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pki/certificate.h"
#include "pki/diagnosis_evidence.h"
#include "pki/http_source.h"

namespace revcache::pki {

inline constexpr std::size_t kUrlsPerCertificateMax = 16;
inline constexpr std::size_t kFetchedCrlBytesMax = std::size_t{256} << 20U;

class EvidenceFetch {
 public:
  EvidenceFetch(HttpSource& http, std::uint64_t hash_seed) : http_(http), hash_seed_(hash_seed) {}

  // 4.2.2.1: certificates from caIssuers URLs; what cannot be had or read is left out. They are
  // candidates, nothing more.
  std::vector<CertificatePtr> issuers_of(const Certificate& certificate);

  // Of each distribution point the URLs in turn until one gives a CRL that settles the status, and
  // the delta CRL that goes with it; and of the OCSP responders likewise.
  std::vector<Evidence> about(const Certificate& subject, const CertificatePtr& issuer,
                              const EvidenceRules& rules);

  Evidence crl(const std::string& url);
  // RFC 5019 section 5: by GET where that is short enough, then by POST. `request` is DER.
  Evidence ocsp(const std::string& url, std::string_view request);

 private:
  void add_crls(const Certificate& subject, const CertificatePtr& issuer,
                const EvidenceRules& rules, std::vector<Evidence>& all);
  void add_deltas(const Certificate& subject, std::vector<Evidence>& all);
  void add_ocsp(const Certificate& subject, const CertificatePtr& issuer,
                const EvidenceRules& rules, std::vector<Evidence>& all);
  Evidence ask_responder(const HttpQuestion& question, const std::string& url);

  HttpSource& http_;
  std::uint64_t hash_seed_;
  std::map<std::string, Evidence> crls_;  // by URL
};

// Can be asked for here at all.
bool is_plain_http(std::string_view url) noexcept;

}  // namespace revcache::pki
