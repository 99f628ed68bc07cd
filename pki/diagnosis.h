// Why a certificate is or is not accepted: the status of each certificate of a chain, findings with
// severity, place in the standard and a way out, and what a Windows NPS server would say. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "pki/chain.h"
#include "pki/diagnosis_evidence.h"

namespace revcache::pki {

enum class Severity : std::uint8_t { info, warning, error };
std::string_view to_string(Severity severity) noexcept;

struct Finding {
  std::string id;  // "cdp-missing": stable, for programs
  Severity severity = Severity::info;
  std::string reference;  // "RFC 5280 4.2.1.13"
  std::string text;       // for people
  std::string fix;        // what to do; several ways are lines, the best first; may be empty
};

// nps: also what NPS demands beyond RFC 5280, and what an Intune SCEP profile should have.
enum class Profile : std::uint8_t { nps, pkix };
std::string_view to_string(Profile profile) noexcept;

enum class Outcome : std::uint8_t { good, revoked, unknown, invalid };
std::string_view to_string(Outcome outcome) noexcept;

// What event 6273 of an NPS server would say. Codes are there unless it accepts.
struct NpsVerdict {
  bool accepts = false;
  int reason_code = 0;
  std::uint32_t hresult = 0;
  std::string_view hresult_name;  // "CRYPT_E_NO_REVOCATION_CHECK"
  int client_error = 0;           // of RasClient event 20227
  std::string text;
  std::optional<std::size_t> place;  // the certificate of the chain that decided it
};

struct CertificateDiagnosis {
  ChainLink link;
  CertificateStatus status = CertificateStatus::not_checked;
  StatusSource source = StatusSource::none;
  std::optional<WallSeconds> revoked_at;
  CrlReason reason = CrlReason::unspecified;
  std::vector<JudgedEvidence> evidence;
  std::vector<Finding> findings;  // errors first
};

struct Diagnosis {
  Outcome result = Outcome::unknown;
  WallTime at;
  Profile profile = Profile::nps;
  NpsVerdict nps;
  std::vector<CertificateDiagnosis> chain;  // leaf first
};

struct DiagnosisQuestion {
  Chain chain;
  std::vector<std::vector<Evidence>> evidence;  // beside chain.links; shorter: none for the rest
  EvidenceRules rules;
  Profile profile = Profile::nps;
  bool offline = false;  // nothing was fetched, so nothing can be said of what could be
};

// Every certificate below the anchor is checked, leaf and all CAs, as NPS does with its default of
// CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT. Of a chain that is not valid nothing is checked.
Diagnosis diagnose(const DiagnosisQuestion& question);

// Where a client is told to look: any CRL distribution point with a URL that is a complete and
// direct one, or an OCSP responder.
bool names_revocation_source(const Certificate& certificate);

}  // namespace revcache::pki
