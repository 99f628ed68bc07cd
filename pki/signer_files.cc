#include "pki/signer_files.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "pki/pkcs11_key.h"

namespace revcache::pki {
namespace {

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  [[nodiscard]] int get() const noexcept { return number_; }

 private:
  int number_;
};

std::unexpected<Error> broken(ErrorCode code, std::string detail) {
  return fail(code, Blame::local, std::move(detail));
}

std::unexpected<Error> cannot_read(const std::string& path, int error) {
  return broken(ErrorCode::unreachable,
                path + " cannot be read: " + std::generic_category().message(error));
}

std::string octal(mode_t mode) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777U));
  return text.data();
}

enum class Secrecy : std::uint8_t { open_to_all, owner_only };

Result<void> acceptable(const std::string& path, const struct stat& status, Secrecy secrecy) {
  if (!S_ISREG(status.st_mode)) return broken(ErrorCode::refused, path + " is no regular file");
  if (secrecy == Secrecy::owner_only && (status.st_mode & kOthers) != 0) {
    return broken(ErrorCode::refused, path + " is a private key that others than its owner may " +
                                          "reach (mode " + octal(status.st_mode) +
                                          "); run: chmod 600 " + path);
  }
  return {};
}

// Up to `bytes_max`; one more is malformed.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max, Secrecy secrecy) {
  // Not blocking, so that opening a pipe does not wait for a writer.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return cannot_read(path, errno);
  struct stat status{};
  // Of what was opened, not of what the name means by now.
  if (fstat(file.get(), &status) != 0) return cannot_read(path, errno);
  Result<void> accepted = acceptable(path, status, secrecy);
  if (!accepted) return fail(std::move(accepted));
  std::string bytes(bytes_max + 1, '\0');
  std::size_t length = 0;
  while (length < bytes.size()) {
    const ssize_t got = read(file.get(), bytes.data() + length, bytes.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(path, errno);
    if (got == 0) break;
    length += static_cast<std::size_t>(got);
  }
  if (length > bytes_max) return broken(ErrorCode::malformed, path + " is too large");
  bytes.resize(length);
  return bytes;
}

template <class T>
Result<T> in_file(const std::string& path, Result<T> result) {
  if (!result) result.error().detail = path + ": " + result.error().detail;
  return result;
}

Result<std::vector<CertificatePtr>> load_certificates(const std::string& path) {
  Result<std::string> bytes = read_file(path, kCertificateBytesMax, Secrecy::open_to_all);
  if (!bytes) return fail(std::move(bytes));
  auto certificates = parse_certificates(*bytes);
  if (!certificates) {
    return broken(ErrorCode::malformed, path + ": " + certificates.error().detail);
  }
  return std::move(*certificates);
}

Result<SignerKeyPtr> load_key(const std::string& key) {
  if (is_pkcs11_uri(key)) return open_pkcs11_key(key);
  Result<std::string> bytes = read_file(key, kPrivateKeyBytesMax, Secrecy::owner_only);
  if (!bytes) return fail(std::move(bytes));
  Result<SignerKeyPtr> parsed = SignerKey::parse(*bytes);
  OPENSSL_cleanse(bytes->data(), bytes->size());
  return in_file(key, std::move(parsed));
}

std::int64_t nanoseconds(const timespec& time) noexcept {
  return (static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000) + time.tv_nsec;
}

FileFingerprint fingerprint_of(const std::string& path) noexcept {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return {};
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .bytes = status.st_size,
          .modified_ns = nanoseconds(status.st_mtim),
          .changed_ns = nanoseconds(status.st_ctim)};
}

}  // namespace

Result<SignerPtr> load_signer(const SignerFiles& files) {
  auto certificates = load_certificates(files.certificate);
  if (!certificates) return fail(std::move(certificates));
  Result<SignerKeyPtr> key = load_key(files.key);
  if (!key) return fail(std::move(key));
  return in_file(files.certificate, Signer::make(std::move(*certificates), std::move(*key)));
}

SignerFingerprint fingerprint(const SignerFiles& files) noexcept {
  return {.certificate = fingerprint_of(files.certificate),
          .key = is_pkcs11_uri(files.key) ? FileFingerprint{} : fingerprint_of(files.key)};
}

}  // namespace revcache::pki
