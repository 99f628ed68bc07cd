#include "pki/evidence_text.h"

#include <algorithm>
#include <vector>

#include "pki/crl.h"
#include "pki/crl_index.h"
#include "pki/ocsp_response.h"

namespace revcache::pki {
namespace {

const SingleResponse* answer_about(const JudgedEvidence& judged, const Certificate& subject,
                                   const Certificate* issuer) {
  if (judged.verified_ocsp && issuer != nullptr) {
    return judged.verified_ocsp->find(*issuer, subject.serial);
  }
  const auto& responses = judged.evidence.ocsp->responses;
  return responses.empty() ? nullptr : &responses.front();
}

}  // namespace

std::string decimal(ByteView integer) {
  if (integer.empty()) return {};
  std::vector<unsigned> digits{0};  // the least first
  for (const std::uint8_t octet : integer) {
    unsigned carry = octet;
    for (unsigned& digit : digits) {
      carry += digit * 256;
      digit = carry % 10;
      carry /= 10;
    }
    for (; carry > 0; carry /= 10) digits.push_back(carry % 10);
  }
  std::string text;
  for (const unsigned digit : digits) text.insert(text.begin(), static_cast<char>('0' + digit));
  return text;
}

std::string serial_text(ByteView serial) {
  const ByteView octets = significant_octets(serial);
  return octets.empty() ? "00" : hex(octets);
}

EvidenceFacts facts_of(const JudgedEvidence& judged, const Certificate& subject,
                       const Certificate* issuer) {
  EvidenceFacts facts;
  const auto& evidence = judged.evidence;
  facts.kind = evidence.kind == EvidenceKind::ocsp ? "ocsp" : "crl";
  if (evidence.crl) {
    if (evidence.crl->is_delta()) facts.kind = "delta_crl";
    facts.number = decimal(evidence.crl->number);
    facts.this_update = evidence.crl->this_update;
    facts.next_update = evidence.crl->next_update;
  } else if (evidence.ocsp) {
    if (const auto* single = answer_about(judged, subject, issuer)) {
      facts.this_update = single->this_update;
      facts.next_update = single->next_update;
    }
  }
  return facts;
}

}  // namespace revcache::pki
