#include "commands/signer.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "config/command_line.h"
#include "config/field.h"
#include "config/patterns.h"
#include "pki/asn1_time.h"
#include "pki/certificate_builder.h"
#include "pki/signature.h"
#include "pki/signer_key.h"

namespace revcache::commands {
namespace {

constexpr std::string_view kCommonNamePrefix = "OCSP signer ";
constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;
constexpr mode_t kReadableByAll = kOwnerOnly | S_IRGRP | S_IROTH;
// A client whose clock is behind takes the new certificate all the same.
constexpr std::chrono::hours kBackdated{1};

struct KeyKind {
  pki::KeyType type;
  pki::SignatureScheme scheme;
};

std::optional<KeyKind> key_kind(std::string_view name) {
  if (name == "p256") return KeyKind{pki::KeyType::p256, pki::SignatureScheme::ecdsa_sha256};
  if (name == "rsa2048") return KeyKind{pki::KeyType::rsa2048, pki::SignatureScheme::rsa_sha256};
  if (name == "rsa3072") return KeyKind{pki::KeyType::rsa3072, pki::SignatureScheme::rsa_sha256};
  return std::nullopt;
}

// A file that was not there before. Unless kept, it is removed again.
class NewFile {
 public:
  NewFile(std::filesystem::path path, mode_t mode)
      : path_(std::move(path)),
        descriptor_(open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)),
        error_(descriptor_ < 0 ? errno : 0) {}
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (descriptor_ < 0) return;
    close(descriptor_);
    if (!kept_) unlink(path_.c_str());
  }

  // Why it could not be made or written; empty: it could.
  [[nodiscard]] std::string trouble() const {
    if (error_ == 0) return {};
    if (error_ == EEXIST) return path_.string() + " is there already; nothing is overwritten";
    return path_.string() + " cannot be written: " + std::generic_category().message(error_);
  }

  // Whole and on the disk, or trouble().
  bool write_all(std::string_view text) {
    while (error_ == 0 && !text.empty()) {
      const ssize_t wrote = write(descriptor_, text.data(), text.size());
      if (wrote >= 0) {
        text.remove_prefix(static_cast<std::size_t>(wrote));
      } else if (errno != EINTR) {
        error_ = errno;
      }
    }
    if (error_ == 0 && fsync(descriptor_) != 0) error_ = errno;
    return error_ == 0;
  }

  void keep() { kept_ = true; }

 private:
  std::filesystem::path path_;
  int descriptor_;
  int error_;
  bool kept_ = false;
};

class NewSigner {
 public:
  NewSigner(const config::SignerArguments& arguments, KeyKind kind, WallTime now)
      : arguments_(arguments),
        kind_(kind),
        now_(std::chrono::floor<std::chrono::seconds>(now)),
        base_(std::filesystem::absolute(arguments.directory) / arguments.name) {}

  // What went wrong; empty: the files are there.
  std::string make() {
    NewFile key_file(with(".key"), kOwnerOnly);
    NewFile second_file(second_path(), kReadableByAll);
    for (const NewFile* file : {&key_file, &second_file}) {
      if (const std::string trouble = file->trouble(); !trouble.empty()) return trouble;
    }
    const pki::SignerKeyPtr key = pki::SignerKey::generate(kind_.type);
    const auto second = second_text(*key);
    if (!second) return second.error().detail;
    std::string secret = key->private_key_pem();
    key_file.write_all(secret);
    OPENSSL_cleanse(secret.data(), secret.size());
    second_file.write_all(*second);
    for (const NewFile* file : {&key_file, &second_file}) {
      if (const std::string trouble = file->trouble(); !trouble.empty()) return trouble;
    }
    key_file.keep();
    second_file.keep();
    return {};
  }

  void explain(std::ostream& out) const {
    out << "private key   " << with(".key").string() << "  (mode 0600: for its owner alone)\n";
    if (arguments_.csr) {
      out << "request       " << second_path().string()
          << "\n\nHave the CA that issued the certificates in question sign the request. It asks "
             "for the extended\nkey usage OCSP Signing (1.3.6.1.5.5.7.3.9) and for "
             "id-pkix-ocsp-nocheck; both must be in the\ncertificate. Store that as "
          << with(".pem").string() << ".\n";
    } else {
      out << "certificate   " << second_path().string() << "  (self-signed, valid until "
          << pki::rfc3339(not_after()) << ")\nSHA-256       " << fingerprint_ << '\n';
    }
    out << "\nInto the configuration:\n\n[[signer]]\nname = \"" << arguments_.name
        << "\"\ncertificate = " << config::toml_string(with(".pem").string())
        << "\nkey = " << config::toml_string(with(".key").string())
        << "\n\nand in each [[authority]] that it answers for:\n\nsigner = \"" << arguments_.name
        << "\"\n";
    if (arguments_.csr) return;
    out << "\nClients accept its answers only once they trust this certificate: on Windows, as a "
           "trusted root of\nthe machine. Compare the SHA-256 there.\n";
  }

 private:
  [[nodiscard]] std::filesystem::path with(const char* suffix) const {
    return base_.string() + suffix;
  }
  [[nodiscard]] std::filesystem::path second_path() const {
    return with(arguments_.csr ? ".csr" : ".pem");
  }
  [[nodiscard]] WallSeconds not_after() const { return now_ + std::chrono::days(arguments_.days); }

  Result<std::string> second_text(const pki::SignerKey& key) {
    const std::string name = std::string(kCommonNamePrefix) + arguments_.name;
    const pki::SignerSubject subject{.key = &key, .scheme = kind_.scheme, .common_name = name};
    Result<std::string> der =
        arguments_.csr ? pki::certification_request(subject)
                       : pki::self_signed_certificate(subject, now_ - kBackdated, not_after());
    if (!der) return der;
    fingerprint_ = pki::hex(pki::sha256(as_bytes(*der)));
    return pki::pem_text(arguments_.csr ? "CERTIFICATE REQUEST" : "CERTIFICATE", as_bytes(*der));
  }

  const config::SignerArguments& arguments_;
  KeyKind kind_;
  WallSeconds now_;
  std::filesystem::path base_;
  std::string fingerprint_;
};

// What is wrong with the arguments; empty: nothing.
std::string objection(const config::SignerArguments& arguments) {
  const auto name = config::parse_label(arguments.name);
  if (!name) return "--name: " + name.error();
  const std::size_t bytes_max = pki::kCommonNameBytesMax - kCommonNamePrefix.size();
  if (arguments.name.size() > bytes_max) {
    return "--name: at most " + std::to_string(bytes_max) + " characters";
  }
  if (!key_kind(arguments.key_type)) return "--key-type: p256, rsa2048 or rsa3072";
  if (arguments.days < 1 || arguments.days > config::kSignerDaysMax) {
    return "--days: 1 to " + std::to_string(config::kSignerDaysMax);
  }
  return {};
}

}  // namespace

int run_signer_new(const config::SignerArguments& arguments, WallTime now, std::ostream& out,
                   std::ostream& err) {
  if (const std::string wrong = objection(arguments); !wrong.empty()) {
    err << "revcache signer new: " << wrong << '\n';
    return config::kExitUsage;
  }
  NewSigner signer(arguments, *key_kind(arguments.key_type), now);
  if (const std::string trouble = signer.make(); !trouble.empty()) {
    err << "revcache signer new: " << trouble << '\n';
    return config::kExitUsage;
  }
  signer.explain(out);
  return config::kExitOk;
}

}  // namespace revcache::commands
