#include "pki/signer_files.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "pki/pkcs11_key.h"

namespace revcache::pki {
namespace {

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

// An access control list as Linux keeps it in "system.posix_acl_access": a version, then entries.
struct AclEntry {
  std::uint16_t tag;
  std::uint16_t permissions;
  std::uint32_t id;
};
constexpr std::size_t kAclVersionBytes = 4;
constexpr std::uint16_t kAclUser = 0x02;
constexpr std::uint16_t kAclGroupObject = 0x04;
constexpr std::uint16_t kAclGroup = 0x08;

// systemd hands credentials over as files of root that the service's user may read by an access
// control list; the group bits of the mode are then that list's mask, and say nothing of a group.
bool list_names_only_us(int file) {
  std::array<char, 512> list{};
  const ssize_t length = fgetxattr(file, "system.posix_acl_access", list.data(), list.size());
  if (length <= static_cast<ssize_t>(kAclVersionBytes)) return false;
  const std::size_t bytes = static_cast<std::size_t>(length);
  for (std::size_t at = kAclVersionBytes; at + sizeof(AclEntry) <= bytes; at += sizeof(AclEntry)) {
    AclEntry entry{};
    std::memcpy(&entry, list.data() + at, sizeof entry);
    const bool of_group = entry.tag == kAclGroup || entry.tag == kAclGroupObject;
    const bool of_stranger = entry.tag == kAclUser && entry.id != geteuid();
    if ((of_group || of_stranger) && entry.permissions != 0) return false;
  }
  return true;
}

enum class Secrecy : std::uint8_t { open_to_all, owner_only };

bool others_may_reach(int file, const struct stat& status) {
  if ((status.st_mode & S_IRWXO) != 0) return true;
  return (status.st_mode & S_IRWXG) != 0 && !list_names_only_us(file);
}

Result<void> acceptable(const std::string& path, int file, Secrecy secrecy) {
  struct stat status{};
  // Of what was opened, not of what the name means by now.
  if (fstat(file, &status) != 0) return cannot_read(path, errno);
  if (!S_ISREG(status.st_mode)) return broken(ErrorCode::refused, path + " is no regular file");
  if (secrecy == Secrecy::owner_only && others_may_reach(file, status)) {
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
  Result<void> accepted = acceptable(path, file.get(), secrecy);
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
