#include "pki/crl_entry.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "pki/asn1_time.h"
#include "pki/cert_id.h"
#include "pki/certificate_fields.h"
#include "pki/object_identifier.h"

namespace revcache::pki {
namespace {

constexpr std::size_t kUnknownExtensionsMax = 16;  // named in the refusal; one is enough to refuse

// id-ce numbers, 2.5.29.n.
constexpr std::uint8_t kReasonCode = 21;
constexpr std::uint8_t kHoldInstructionCode = 23;
constexpr std::uint8_t kInvalidityDate = 24;
constexpr std::uint8_t kCertificateIssuer = 29;

// crlEntryExtensions with just a reasonCode that is not critical, up to the reason itself.
constexpr std::array<std::uint8_t, 13> kReasonExtension{0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55,
                                                        0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01};
constexpr std::size_t kReasonExtensionBytes = kReasonExtension.size() + 1;
constexpr std::size_t kUtcTimeBytes = 15;  // with tag and length

constexpr std::array<CrlReason, 11> kReasons{
    CrlReason::unspecified,         CrlReason::key_compromise, CrlReason::ca_compromise,
    CrlReason::affiliation_changed, CrlReason::superseded,     CrlReason::cessation_of_operation,
    CrlReason::certificate_hold,    CrlReason::unspecified,    CrlReason::remove_from_crl,
    CrlReason::privilege_withdrawn, CrlReason::aa_compromise};

CrlReason reason_of(std::uint8_t value) noexcept {
  return value < kReasons.size() ? kReasons[value] : CrlReason::unspecified;
}

// X.690 8.3.2: the first nine bits are neither all zeros nor all ones. Without branches on the
// octets, whose zeros and ones nobody can guess.
bool is_minimal(const std::uint8_t* content, std::size_t size) noexcept {
  if (size <= 1) return size == 1;
  const unsigned first_nine = (unsigned{content[0]} << 1U) | (unsigned{content[1]} >> 7U);
  return (first_nine != 0) & (first_nine != 0x1ffU);
}

// ENUMERATED, in its shortest form.
bool read_reason(DerReader& value, CrlReason& reason) noexcept {
  const auto element = value.read(kEnumeratedTag, "a reason was expected");
  if (!element) return false;
  const ByteView content = element->content;
  if (!is_minimal(content.data(), content.size())) {
    return value.fail_at("a reason that is not in its shortest form");
  }
  reason = content.size() == 1 ? reason_of(content.front()) : CrlReason::unspecified;
  return true;
}

// GeneralNames: at least one.
bool read_certificate_issuer(DerReader& value) noexcept {
  const auto names = value.read(kSequenceTag, "names of a certificate's issuer were expected");
  if (!names) return false;
  DerReader inner(names->content);
  if (inner.at_end()) inner.fail_at("no name of a certificate's issuer");
  while (inner.ok() && !inner.at_end()) read_general_name(inner);
  return inner.ok() || value.adopt(inner);
}

void remember_unknown(ByteView oid, CrlEntryRemarks& remarks) {
  auto& unknown = remarks.unknown_critical_extensions;
  if (unknown.size() >= kUnknownExtensionsMax) return;
  std::string name = dotted(oid);
  if (std::ranges::find(unknown, name) == unknown.end()) unknown.push_back(std::move(name));
}

// False when the extension is none whose value we read.
bool read_value(const Extension& extension, DerReader& value, RevokedEntry& entry,
                CrlEntryRemarks& remarks) noexcept {
  if (is_id_ce(extension.oid, kReasonCode)) {
    read_reason(value, entry.reason);
  } else if (is_id_ce(extension.oid, kInvalidityDate)) {
    entry.invalidity_date = read_generalized_time(value, "an invalidity date was expected");
  } else if (is_id_ce(extension.oid, kCertificateIssuer)) {
    remarks.has_certificate_issuer = true;
    read_certificate_issuer(value);
  } else {
    return false;
  }
  return true;
}

bool read_entry_extensions(DerReader& reader, RevokedEntry& entry, CrlEntryRemarks& remarks) {
  const auto extensions = read_extensions(reader);
  if (!extensions) return false;
  remarks.has_extensions = true;
  for (const Extension& extension : *extensions) {
    DerReader value(extension.value);
    if (read_value(extension, value, entry, remarks)) {
      if (!value.expect_end("data behind an entry extension's value")) return reader.adopt(value);
    } else if (extension.critical && !is_id_ce(extension.oid, kHoldInstructionCode)) {
      remember_unknown(extension.oid, remarks);
    }
  }
  return true;
}

// The INTEGER at `at`; `size` octets of content follow its tag and length.
bool is_common_serial(const std::uint8_t* at, std::size_t size) noexcept {
  return at[0] == kIntegerTag && size <= kSerialBytesMax && is_minimal(at + 2, size);
}

// As read_common_entry(), of an entry whose form was checked: what it can only be is not looked at
// again.
std::size_t checked_common_entry(ByteView list, RevokedEntry& entry) noexcept {
  const std::uint8_t* const at = list.data();
  if (at[1] >= 0x80) return 0;
  const std::size_t bytes = at[1] + std::size_t{2};
  const std::size_t serial_bytes = at[3];
  const std::size_t date_end = 4 + serial_bytes + kUtcTimeBytes;
  const bool has_reason = bytes == date_end + kReasonExtensionBytes;
  if (bytes != date_end && !has_reason) return 0;
  const std::uint8_t* const date = at + 4 + serial_bytes;
  if (date[0] != kUtcTimeTag) return 0;
  const std::uint8_t* const reason = date + kUtcTimeBytes;
  if (has_reason && std::memcmp(reason, kReasonExtension.data(), kReasonExtension.size()) != 0) {
    return 0;
  }
  entry.serial = ByteView(at + 4, serial_bytes);
  entry.revoked_at = checked_utc_time(date + 2);
  entry.reason = has_reason ? reason_of(reason[kReasonExtension.size()]) : CrlReason::unspecified;
  return bytes;
}

}  // namespace

std::size_t read_common_entry(ByteView list, RevokedEntry& entry) noexcept {
  const std::uint8_t* const at = list.data();
  // SEQUENCE, its length, INTEGER, its length: four octets.
  if (list.size() < 4 || at[0] != kSequenceTag || at[1] >= 0x80) return 0;
  const std::size_t bytes = at[1] + std::size_t{2};
  const std::size_t serial_bytes = at[3];
  const std::size_t date_end = 4 + serial_bytes + kUtcTimeBytes;
  const bool has_reason = bytes == date_end + kReasonExtensionBytes;
  if (bytes > list.size() || (bytes != date_end && !has_reason)) return 0;
  if (!is_common_serial(at + 2, serial_bytes)) return 0;
  const std::uint8_t* const date = at + 4 + serial_bytes;
  if (date[0] != kUtcTimeTag || date[1] != kUtcTimeBytes - 2) return 0;
  const auto revoked_at = time_of({kUtcTimeTag, {}, ByteView(date + 2, kUtcTimeBytes - 2)});
  if (!revoked_at) return 0;
  const std::uint8_t* const reason = date + kUtcTimeBytes;
  if (has_reason && std::memcmp(reason, kReasonExtension.data(), kReasonExtension.size()) != 0) {
    return 0;
  }
  entry.serial = ByteView(at + 4, serial_bytes);
  entry.revoked_at = *revoked_at;
  entry.reason = has_reason ? reason_of(reason[kReasonExtension.size()]) : CrlReason::unspecified;
  entry.invalidity_date.reset();
  return bytes;
}

std::optional<RevokedEntry> read_entry(DerReader& list, CrlEntryRemarks& remarks) {
  const auto whole = list.read(kSequenceTag, "an entry was expected");
  if (!whole) return std::nullopt;
  RevokedEntry entry;
  DerReader inner(whole->content);
  const auto serial = inner.read_integer("a serial number was expected");
  if (serial && serial->size() > kSerialBytesMax) {
    inner.fail_at("a serial number that is too long");
  }
  const auto date = read_time(inner, "a revocation date was expected");
  if (inner.ok() && !inner.at_end()) read_entry_extensions(inner, entry, remarks);
  if (inner.expect_end("data behind an entry's extensions")) {
    entry.serial = *serial;
    entry.revoked_at = *date;
    return entry;
  }
  list.adopt(inner);
  return std::nullopt;
}

bool read_entries(DerReader& reader, ByteView content, CrlIndexBuilder& index,
                  CrlEntryRemarks& remarks) {
  RevokedEntry common;
  while (!content.empty()) {
    const std::uint8_t* const start = content.data();
    if (const std::size_t bytes = read_common_entry(content, common); bytes != 0) {
      index.add(start, common.serial);
      remarks.has_extensions =
          remarks.has_extensions || bytes > common.serial.size() + 4 + kUtcTimeBytes;
      content = content.subspan(bytes);
      continue;
    }
    DerReader list(content);
    const auto entry = read_entry(list, remarks);
    if (!entry) return reader.adopt(list);
    index.add(start, entry->serial);
    content = content.subspan(static_cast<std::size_t>(list.position() - start));
  }
  return true;
}

std::size_t read_checked_entry(ByteView list, RevokedEntry& entry) noexcept {
  if (const std::size_t bytes = checked_common_entry(list, entry); bytes != 0) return bytes;
  DerReader reader(list);
  CrlEntryRemarks ignored;
  const auto read = read_entry(reader, ignored);
  CHECK(read.has_value());  // the CRL was parsed before
  entry = *read;
  return static_cast<std::size_t>(reader.position() - list.data());
}

RevokedEntry next_entry(ByteView& list) noexcept {
  RevokedEntry entry;
  list = list.subspan(read_checked_entry(list, entry));
  return entry;
}

}  // namespace revcache::pki
