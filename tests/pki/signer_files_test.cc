#include "pki/signer_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/pki/signer_identities.h"

namespace revcache::pki {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class SignerFilesTest : public testing::Test {
 protected:
  SignerFilesTest() : signer_(make_ocsp_signer(nullptr)) {
    std::string pattern = (std::filesystem::temp_directory_path() / "revcache_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    files_ = {.certificate = directory_ + "/ocsp.pem", .key = directory_ + "/ocsp.key"};
    write(files_.certificate, signer_.certificate_pem, 0644);
    write(files_.key, signer_.key_pem, 0600);
  }
  ~SignerFilesTest() override { std::filesystem::remove_all(directory_); }

  static void write(const std::string& path, const std::string& text, mode_t mode) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
  }

  Identity signer_;
  std::string directory_;
  SignerFiles files_;
};

TEST_F(SignerFilesTest, LoadsPem) {
  const auto loaded = load_signer(files_);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().detail;
  EXPECT_EQ((*loaded)->certificate()->der.text(), signer_.certificate->der.text());
}

TEST_F(SignerFilesTest, LoadsACertificateInDer) {
  write(files_.certificate, std::string(signer_.certificate->der.text()), 0644);
  EXPECT_TRUE(load_signer(files_).has_value());
}

TEST_F(SignerFilesTest, TakesWhatFollowsTheCertificateForItsChain) {
  const Identity root = make_authority("Root");
  const Identity delegated = make_ocsp_signer(&root);
  write(files_.certificate, delegated.certificate_pem + root.certificate_pem, 0644);
  write(files_.key, delegated.key_pem, 0600);
  const auto loaded = load_signer(files_);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().detail;
  EXPECT_EQ((*loaded)->certificates().size(), 2U);
}

class KeyModes : public SignerFilesTest, public testing::WithParamInterface<mode_t> {};

TEST_P(KeyModes, ThatLetOthersReachTheKeyAreRefusedWithTheRemedy) {
  ASSERT_EQ(chmod(files_.key.c_str(), GetParam()), 0);
  const auto loaded = load_signer(files_);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, ErrorCode::refused);
  EXPECT_EQ(loaded.error().blame, Blame::local);
  EXPECT_THAT(loaded.error().detail, HasSubstr("chmod 600 " + files_.key));
}

INSTANTIATE_TEST_SUITE_P(Modes, KeyModes, testing::Values(0640, 0604, 0620, 0610, 0601, 0666));

TEST_F(SignerFilesTest, AKeyThatItsOwnerMayOnlyReadIsFine) {
  ASSERT_EQ(chmod(files_.key.c_str(), 0400), 0);
  EXPECT_TRUE(load_signer(files_).has_value());
}

// The octets of system.posix_acl_access: owner reads, `user` reads, group `group`, mask reads.
std::string access_list(std::uint32_t user, std::uint16_t group) {
  std::string list;
  const auto add = [&list](std::uint32_t number, unsigned bytes) {
    for (; bytes > 0; --bytes, number >>= 8U) list += static_cast<char>(number & 0xffU);
  };
  add(2, 4);
  const auto entry = [&add](std::uint16_t tag, std::uint16_t permissions, std::uint32_t id) {
    add(tag, 2);
    add(permissions, 2);
    add(id, 4);
  };
  constexpr std::uint32_t kNobody = 0xffffffff;
  entry(0x01, 4, kNobody);
  entry(0x02, 4, user);
  entry(0x04, group, kNobody);
  entry(0x10, 4, kNobody);
  entry(0x20, 0, kNobody);
  return list;
}

// A credential of systemd: mode 0440, but the group bits are the mask of a list for one user.
TEST_F(SignerFilesTest, AKeyThatAnAccessListGivesToThisUserAloneIsFine) {
  const auto load_with = [this](const std::string& list) {
    EXPECT_EQ(setxattr(files_.key.c_str(), "system.posix_acl_access", list.data(), list.size(), 0),
              0)
        << "the file system of the temporary directory has no access control lists";
    struct stat status{};
    EXPECT_EQ(stat(files_.key.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0440U);
    return load_signer(files_).has_value();
  };
  EXPECT_TRUE(load_with(access_list(geteuid(), 0)));
  EXPECT_FALSE(load_with(access_list(geteuid() + 1, 0)));
  EXPECT_FALSE(load_with(access_list(geteuid(), 4)));
}

TEST_F(SignerFilesTest, NamesTheFileThatIsAtFault) {
  const auto expect_fault = [](const SignerFiles& files, ErrorCode code, const std::string& text) {
    const auto loaded = load_signer(files);
    ASSERT_FALSE(loaded.has_value());
    EXPECT_EQ(loaded.error().code, code) << loaded.error().detail;
    EXPECT_THAT(loaded.error().detail, HasSubstr(text));
  };
  const std::string none = directory_ + "/none";
  expect_fault({none, files_.key}, ErrorCode::unreachable, none);
  expect_fault({files_.certificate, none}, ErrorCode::unreachable, none);
  expect_fault({directory_, files_.key}, ErrorCode::refused, "no regular file");

  const std::string junk = directory_ + "/junk";
  write(junk, "junk", 0600);
  expect_fault({junk, files_.key}, ErrorCode::malformed, junk);
  expect_fault({files_.certificate, junk}, ErrorCode::malformed, junk);
  write(junk, std::string(kCertificateBytesMax + 1, 'x'), 0600);
  expect_fault({junk, files_.key}, ErrorCode::malformed, "too large");
  expect_fault({files_.certificate, junk}, ErrorCode::malformed, "too large");

  const std::string pipe = directory_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  expect_fault({files_.certificate, pipe}, ErrorCode::refused, "no regular file");

  write(files_.key, make_ocsp_signer(nullptr).key_pem, 0600);
  expect_fault(files_, ErrorCode::untrusted, files_.certificate);
}

TEST_F(SignerFilesTest, FingerprintsTellEveryChangeOfAFile) {
  const SignerFingerprint before = fingerprint(files_);
  EXPECT_EQ(fingerprint(files_), before);

  std::ofstream(files_.certificate, std::ios::app) << '\n';
  const SignerFingerprint longer = fingerprint(files_);
  EXPECT_NE(longer, before);

  // As an administrator replaces a file: a new one under the old name, as long as the old one.
  write(directory_ + "/new", signer_.key_pem, 0600);
  std::filesystem::rename(directory_ + "/new", files_.key);
  const SignerFingerprint replaced = fingerprint(files_);
  EXPECT_EQ(replaced.certificate, longer.certificate);
  EXPECT_NE(replaced.key, longer.key);

  std::filesystem::remove(files_.key);
  EXPECT_EQ(fingerprint(files_).key, FileFingerprint{});
}

TEST_F(SignerFilesTest, ATokenHasNoFingerprint) {
  EXPECT_EQ(fingerprint({files_.certificate, "pkcs11:token=t"}).key, FileFingerprint{});
}

}  // namespace
}  // namespace revcache::pki
