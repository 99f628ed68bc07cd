#include "commands/check_report_text.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "commands/terminal_text.h"
#include "pki/asn1_time.h"
#include "pki/distinguished_name.h"
#include "pki/evidence_text.h"

namespace revcache::commands {
namespace {

constexpr std::size_t kLabelWidth = 11;  // of "  issuer   …"
constexpr std::size_t kFindingIndent = 4;

std::string_view title_of(pki::ChainRole role) {
  switch (role) {
    case pki::ChainRole::leaf:
      return "user or computer certificate";
    case pki::ChainRole::intermediate:
      return "issuing CA";
    case pki::ChainRole::root:
      return "root";
  }
  return "";
}

Style style_of(pki::CertificateStatus status) {
  switch (status) {
    case pki::CertificateStatus::good:
      return Style::good;
    case pki::CertificateStatus::revoked:
      return Style::bad;
    case pki::CertificateStatus::unknown:
      return Style::caution;
    case pki::CertificateStatus::not_checked:
      break;
  }
  return Style::dim;
}

Style style_of(pki::Severity severity) {
  if (severity == pki::Severity::error) return Style::bad;
  return severity == pki::Severity::warning ? Style::caution : Style::dim;
}

class TextReport {
 public:
  TextReport(const pki::Diagnosis& diagnosis, bool colour)
      : diagnosis_(diagnosis), colour_(colour) {}

  std::string write() {
    for (std::size_t at = 0; at < diagnosis_.chain.size(); ++at) certificate(at);
    result();
    if (diagnosis_.profile == pki::Profile::nps) nps();
    ways_out();
    return std::move(out_);
  }

 private:
  void line(std::string_view label, std::string_view value) {
    std::string padded(label);
    padded.resize(std::max(label.size(), kLabelWidth - 2), ' ');
    out_ += "  " + styled(padded, Style::dim, colour_) + ' ' + printable(value) + '\n';
  }

  void certificate(std::size_t at) {
    const auto& one = diagnosis_.chain[at];
    const auto& certificate = *one.link.certificate;
    const bool has_issuer = at + 1 < diagnosis_.chain.size();
    const auto* issuer = has_issuer ? diagnosis_.chain[at + 1].link.certificate.get() : nullptr;
    const std::string head =
        "[" + std::to_string(at + 1) + "] " + std::string(title_of(one.link.role)) + ": ";
    out_ += styled(head + printable(pki::name_text(certificate.subject)), Style::bold, colour_);
    out_ += '\n';
    line("issuer", pki::name_text(certificate.issuer));
    line("serial", pki::serial_text(certificate.serial) + ", valid " +
                       pki::rfc3339(certificate.not_before) + " to " +
                       pki::rfc3339(certificate.not_after));
    status(one);
    for (const auto& judged : one.evidence) evidence(judged, certificate, issuer);
    for (const auto& finding : one.findings) {
      out_ += "  " + styled(to_string(finding.severity), style_of(finding.severity), colour_) +
              ' ' + finding.id + " (" + finding.reference + ")\n" +
              std::string(kFindingIndent, ' ') + wrapped(printable(finding.text), kFindingIndent) +
              '\n';
    }
    out_ += '\n';
  }

  void status(const pki::CertificateDiagnosis& one) {
    std::string text(to_string(one.status));
    std::ranges::replace(text, '_', ' ');
    std::string more;
    if (one.status == pki::CertificateStatus::revoked && one.revoked_at) {
      more = " since " + pki::rfc3339(*one.revoked_at) + ", " + std::string(to_string(one.reason));
    } else if (one.status == pki::CertificateStatus::not_checked) {
      more = one.link.role == pki::ChainRole::root ? " (a root is trusted or not, never revoked)"
                                                   : " (the chain is not valid)";
    }
    std::string label = "status";
    label.resize(kLabelWidth - 2, ' ');
    out_ += "  " + styled(label, Style::dim, colour_) + ' ' +
            styled(text, style_of(one.status), colour_) + more + '\n';
  }

  void evidence(const pki::JudgedEvidence& judged, const pki::Certificate& subject,
                const pki::Certificate* issuer) {
    const auto facts = pki::facts_of(judged, subject, issuer);
    const std::string_view kind = facts.kind == "ocsp"  ? "OCSP"
                                  : facts.kind == "crl" ? "CRL"
                                                        : "delta CRL";
    const bool proves = judged.says != pki::CertificateStatus::unknown || judged.delta;
    std::string text = judged.evidence.failure     ? "no "
                       : proves && !judged.refused ? "by "
                                                   : "not by ";
    text += kind;
    if (!facts.number.empty()) text += ' ' + facts.number;
    if (facts.this_update) text += " of " + pki::rfc3339(*facts.this_update);
    if (facts.next_update) text += ", next " + pki::rfc3339(*facts.next_update);
    line("", text);
    line("", judged.evidence.source);
    if (!judged.evidence.elapsed_ms) return;
    char took[32];
    static_cast<void>(std::snprintf(took, sizeof took, "%.1f ms", *judged.evidence.elapsed_ms));
    const auto& cached = judged.evidence.cache_status;
    line("", "in " + std::string(took) + (cached.empty() ? "" : "; Cache-Status: " + cached));
  }

  void result() {
    const bool good = diagnosis_.result == pki::Outcome::good;
    const bool unknown = diagnosis_.result == pki::Outcome::unknown;
    const auto at = std::chrono::floor<std::chrono::seconds>(diagnosis_.at);
    out_ += styled("Result: ", Style::bold, colour_) +
            styled(to_string(diagnosis_.result),
                   good      ? Style::good
                   : unknown ? Style::caution
                             : Style::bad,
                   colour_) +
            " as of " + pki::rfc3339(at) + '\n';
  }

  void nps() {
    const auto& nps = diagnosis_.nps;
    if (nps.accepts) {
      out_ += styled("NPS: ", Style::bold, colour_) + styled("accepts", Style::good, colour_) +
              ": " + nps.text + ".\n";
      return;
    }
    char hresult[16];
    static_cast<void>(
        std::snprintf(hresult, sizeof hresult, " 0x%08X", static_cast<unsigned>(nps.hresult)));
    out_ += styled("NPS: ", Style::bold, colour_) + styled("denies", Style::bad, colour_) +
            ", event 6273 reason code " + std::to_string(nps.reason_code) + " (" +
            std::string(nps.hresult_name) + hresult + "); the VPN client shows error " +
            std::to_string(nps.client_error) + ".\n     ";
    std::string why = nps.text + '.';
    if (nps.place) {
      const auto& name = diagnosis_.chain[*nps.place].link.certificate->subject;
      why = '[' + std::to_string(*nps.place + 1) + "] " + printable(pki::name_text(name)) + ": " +
            why;
    }
    out_ += wrapped(why, 5) + '\n';
  }

  // The ways out of errors, once each; first those of the certificate that decided the verdict.
  void ways_out() {
    std::vector<std::string> fixes;
    const auto add = [&](const pki::CertificateDiagnosis& one) {
      for (const auto& finding : one.findings) {
        const bool known = std::ranges::find(fixes, finding.fix) != fixes.end();
        const bool matters = finding.severity == pki::Severity::error;
        if (matters && !finding.fix.empty() && !known) fixes.push_back(finding.fix);
      }
    };
    if (diagnosis_.nps.place) add(diagnosis_.chain[*diagnosis_.nps.place]);
    std::ranges::for_each(diagnosis_.chain, add);
    if (fixes.empty()) return;
    out_ += '\n' + styled("What to do", Style::bold, colour_) + '\n';
    for (const std::string& fix : fixes) {
      for (std::string_view rest = fix; !rest.empty();) {
        const auto end = rest.find('\n');
        out_ += "  " + wrapped(printable(rest.substr(0, end)), 5) + '\n';
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      }
    }
  }

  const pki::Diagnosis& diagnosis_;
  bool colour_;
  std::string out_;
};

}  // namespace

std::string check_text(const pki::Diagnosis& diagnosis, bool colour) {
  return TextReport(diagnosis, colour).write();
}

}  // namespace revcache::commands
