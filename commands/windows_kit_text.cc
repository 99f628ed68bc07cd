#include "commands/windows_kit_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "commands/terminal_text.h"
#include "commands/windows_kit_files.h"
#include "config/command_line.h"
#include "config/proxy_auto_config.h"
#include "pki/distinguished_name.h"
#include "pki/signature.h"

namespace revcache::commands {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kInfOctetsPerLine = 16;

std::string with_crlf(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 16);
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

void replace(std::string& text, std::string_view place, std::string_view value) {
  for (std::size_t at = text.find(place); at != std::string::npos;
       at = text.find(place, at + value.size())) {
    text.replace(at, place.size(), value);
  }
}

std::string subject_text(const pki::Certificate& certificate) {
  return printable(pki::name_text(certificate.subject));
}

// As certutil and the certificate dialog of Windows show it.
std::string thumbprint(const pki::Certificate& certificate) {
  std::string text = pki::hex(pki::sha1(certificate.der.bytes()));
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

std::string sha256_text(const pki::Certificate& certificate) {
  return pki::hex(pki::sha256(certificate.der.bytes()));
}

std::string inf_name(const KitAuthority& authority) { return "ca-" + authority.name + "-ocsp.inf"; }
std::string aia_name(const KitAuthority& authority) { return "ca-" + authority.name + "-ocsp.der"; }
std::string removal_name(const KitAuthority& authority) {
  return "ca-" + authority.name + "-ocsp-remove.inf";
}

Json authority_json(const KitAuthority& authority) {
  Json trust = Json::array();
  for (const KitCertificate& one : authority.trust) {
    trust.push_back({{"file", one.file},
                     {"store", one.store},
                     {"subject", subject_text(*one.certificate)},
                     {"sha256", sha256_text(*one.certificate)}});
  }
  const pki::Certificate& certificate = *authority.certificate.certificate;
  return {{"name", authority.name},
          {"subject", subject_text(certificate)},
          {"certificate", authority.certificate.file},
          {"store", authority.certificate.store},
          {"thumbprint", thumbprint(certificate)},
          {"sha256", sha256_text(certificate)},
          {"ocspUrl", authority.ocsp_url},
          {"aia", aia_name(authority)},
          {"inf", inf_name(authority)},
          {"removeInf", removal_name(authority)},
          {"crlUrl", authority.crl_url.empty() ? Json() : Json(authority.crl_url)},
          {"signer",
           {{"kind", std::string(pki::to_string(authority.signer_kind))},
            {"subject", subject_text(*authority.signer)},
            {"trust", std::move(trust)}}}};
}

// ASCII: PowerShell reads a file without a byte order mark in the local code page.
std::string kit_json(const KitFacts& facts) {
  Json authorities = Json::array();
  for (const KitAuthority& authority : facts.authorities) {
    authorities.push_back(authority_json(authority));
  }
  const Json kit{{"schema", 1},
                 {"revcache", std::string(config::version())},
                 {"url", facts.url},
                 {"host", facts.host},
                 {"proxy", facts.proxy},
                 {"otherDestinations", facts.others_denied ? "deny" : "pass"},
                 {"authorities", std::move(authorities)}};
  return kit.dump(2, ' ', true) + '\n';
}

std::string readme(std::string_view text, const KitFacts& facts) {
  std::string authorities;
  for (const KitAuthority& authority : facts.authorities) {
    const pki::Certificate& certificate = *authority.certificate.certificate;
    authorities += "  " + authority.name + "\n    CA          " + subject_text(certificate) +
                   "\n    thumbprint  " + thumbprint(certificate) + " (store " +
                   authority.certificate.store + ")\n    OCSP URL    " + authority.ocsp_url +
                   "\n    CRL         " +
                   (authority.crl_url.empty() ? "none is configured" : authority.crl_url) +
                   "\n    signer      " + subject_text(*authority.signer) + " (" +
                   std::string(pki::to_string(authority.signer_kind)) + ")\n";
    for (const KitCertificate& one : authority.trust) {
      authorities +=
          "    to trust    " + one.file + ", SHA-256 " + sha256_text(*one.certificate) + "\n";
    }
    authorities += '\n';
  }
  std::string out(text);
  replace(out, "@VERSION@", config::version());
  replace(out, "@URL@", facts.url);
  // Last: what is put in is not looked at again.
  replace(out, "@AUTHORITIES@\n", authorities);
  return out;
}

std::string row(std::initializer_list<std::string_view> cells) {
  std::string out = "<tr>";
  for (const std::string_view cell : cells) out += "<td>" + html_escaped(cell) + "</td>";
  return out + "</tr>\n";
}

// The certificates to be shown: each file once.
std::map<std::string, const pki::Certificate*> kit_certificates(const KitFacts& facts) {
  std::map<std::string, const pki::Certificate*> all;
  for (const KitAuthority& authority : facts.authorities) {
    all.emplace(authority.certificate.file, authority.certificate.certificate.get());
    for (const KitCertificate& one : authority.trust) {
      all.emplace(one.file, one.certificate.get());
    }
  }
  return all;
}

std::string_view policy_folder(std::string_view store) {
  return store == "Root" ? "Trusted Root Certification Authorities"
                         : "Intermediate Certification Authorities";
}

std::string signer_steps(const KitFacts& facts) {
  std::map<std::string, std::string_view> steps;
  for (const KitAuthority& authority : facts.authorities) {
    for (const KitCertificate& one : authority.trust) steps[one.file] = policy_folder(one.store);
  }
  if (steps.empty()) {
    return "<p>Nothing to do: the servers trust the signers through the CAs that issued "
           "them.</p>\n";
  }
  std::string out =
      "<p>The signer's certificate vouches for what revcache answers. Import it, so that the "
      "servers trust it:</p>\n<table>\n<tr><th>File</th><th>Folder</th></tr>\n";
  for (const auto& [file, folder] : steps) out += row({file, folder});
  return out + "</table>\n";
}

// Filled in from back to front of the page: what is put in is not looked at again.
std::string policy_page(std::string_view text, const KitFacts& facts) {
  std::string authorities;
  for (const KitAuthority& one : facts.authorities) {
    authorities += row({subject_text(*one.certificate.certificate), one.certificate.file,
                        policy_folder(one.certificate.store), one.ocsp_url});
  }
  std::string fingerprints;
  for (const auto& [file, certificate] : kit_certificates(facts)) {
    fingerprints += row({file, subject_text(*certificate), sha256_text(*certificate)});
  }
  const std::array<std::pair<std::string_view, std::string>, 3> places{
      {{"@FINGERPRINT_ROWS@\n", fingerprints},
       {"@SIGNERS@\n", signer_steps(facts)},
       {"@AUTHORITY_ROWS@\n", authorities}}};
  std::string out(text);
  std::size_t end = out.size();
  for (const auto& [place, value] : places) {
    const std::size_t at = out.rfind(place, end);
    if (at == std::string::npos) continue;
    out.replace(at, place.size(), value);
    end = at;
  }
  return out;
}

std::string file_of(const KitTemplate& one, const KitFacts& facts) {
  if (one.name == "README.txt") {
    return std::string(kByteOrderMark) + with_crlf(readme(one.text, facts));
  }
  if (one.name == "gpo.html") return with_crlf(policy_page(one.text, facts));
  const bool is_script = one.name.ends_with(".ps1");
  return std::string(is_script ? kByteOrderMark : std::string_view()) + with_crlf(one.text);
}

}  // namespace

std::string property_inf(ByteView der) {
  if (der.empty()) return "[Properties]\n81 =\n";
  std::string out = "[Properties]\n81 = \"{hex}\"\n";
  for (std::size_t at = 0; at < der.size(); at += kInfOctetsPerLine) {
    out += "_continue_ = \"";
    for (std::size_t i = at; i < std::min(at + kInfOctetsPerLine, der.size()); ++i) {
      if (i > at) out += ' ';
      out += pki::hex(der.subspan(i, 1));
    }
    out += "\"\n";
  }
  return out;
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

KitFiles kit_files(const KitFacts& facts, const config::Config& config) {
  KitFiles files;
  for (const KitTemplate& one : kit_templates()) {
    files.emplace(one.name, file_of(one, facts));
  }
  files.emplace("kit.json", with_crlf(kit_json(facts)));
  files.emplace("proxy.pac", with_crlf(config::proxy_auto_config(config, facts.proxy) + '\n'));
  for (const KitAuthority& authority : facts.authorities) {
    const ByteView aia = as_bytes(authority.aia);
    files.emplace(inf_name(authority), with_crlf(property_inf(aia)));
    files.emplace(removal_name(authority), with_crlf(property_inf({})));
    files.emplace(aia_name(authority), authority.aia);
  }
  for (const auto& [file, certificate] : kit_certificates(facts)) {
    files.emplace(file, certificate->der.text());
  }
  return files;
}

}  // namespace revcache::commands
