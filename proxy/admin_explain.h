// What would be answered for a certificate, by which rule and from which evidence: the responder's
// decision, made for people (`revcache policy explain`). Blocks on signatures: pool threads.
#pragma once

#include "admin/operations.h"
#include "base/clock.h"
#include "revocation/answer_policy.h"
#include "revocation/responder_table.h"
#include "revocation/snapshot.h"

namespace revcache::proxy {

// What is known. All outlive the call.
struct ExplainBy {
  const revocation::Snapshot& known;
  const revocation::ResponderTable* table;  // null: nobody is answered for
  revocation::Standing standing;
  WallTime now;
};

// Whose certificate it is, is found by its signature: a CertID could only name an issuer. Where
// none of those that are known signed it, by name and key identifier, as a client would ask.
admin::Explanation explain_answer(const admin::CertificateQuestion& question, const ExplainBy& by);

}  // namespace revcache::proxy
