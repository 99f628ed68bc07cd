// A signer as its files hold it. Blocking reads of local files: at start, and on threads of the
// pool.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "pki/signer.h"

namespace revcache::pki {

struct SignerFiles {
  std::string certificate;  // PEM or DER; the signer's own first, then what is to be embedded too
  std::string key;          // PEM or DER that only its owner, or we, can read; or a "pkcs11:" URI
};

// Both files, and that they belong together. Fails (blame local) as Signer::make() does, and with
// unreachable (a file cannot be read, a token not be opened), malformed (not what it should be) or
// refused (a key that others than its owner may read). The detail names the file and what to do.
Result<SignerPtr> load_signer(const SignerFiles& files);

// What tells that a file is another one than before. All zero when there is none.
struct FileFingerprint {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;  // also when only permissions were changed
  bool operator==(const FileFingerprint&) const = default;
};

struct SignerFingerprint {
  FileFingerprint certificate;
  FileFingerprint key;  // all zero for a token
  bool operator==(const SignerFingerprint&) const = default;
};

// Two calls of stat(2). Taken before load_signer(), it makes a change during the load be seen.
SignerFingerprint fingerprint(const SignerFiles& files) noexcept;

}  // namespace revcache::pki
