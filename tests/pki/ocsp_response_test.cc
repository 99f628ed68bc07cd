// RFC 6960 4.2: what is read of an OCSP response, and what is not one.
#include "pki/ocsp_response.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/pki/test_files.h"

namespace revcache::pki {
namespace {

using namespace std::chrono_literals;

ParsedOcspResponsePtr response(const std::string& name) {
  auto parsed = parse_ocsp_response(SharedBytes::take(test_file("ocsp_response/" + name + ".der")));
  if (parsed) return *parsed;
  ADD_FAILURE() << name << ": " << parsed.error().detail;
  return nullptr;
}

class WellFormed : public testing::TestWithParam<std::string> {};

TEST_P(WellFormed, IsReadAndMalformedWithoutItsLastOctetsOrWithMore) {
  const std::string whole = test_file(GetParam());
  const auto parsed = parse_ocsp_response(SharedBytes::copy_of(whole));
  ASSERT_TRUE(parsed) << parsed.error().detail;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_ocsp_response(SharedBytes::copy_of(whole.substr(0, size)))) << size;
  }
  EXPECT_FALSE(parse_ocsp_response(SharedBytes::take(whole + '\0')));
}

std::vector<std::string> well_formed() {
  std::vector<std::string> files;
  for (const char* verdict : {"good_", "revoked_", "unknown_", "refused_", "error_"}) {
    for (auto& file : test_files("ocsp_response", verdict)) files.push_back(std::move(file));
  }
  return files;
}

INSTANTIATE_TEST_SUITE_P(OcspResponse, WellFormed, testing::ValuesIn(well_formed()), name_of_file);

struct Fault {
  const char* file;
  const char* detail;
};

const Fault kFaults[] = {
    {"behind_the_basic_response", "data behind the BasicOCSPResponse at offset"},
    {"behind_the_certificates", "data behind the response at offset"},
    {"behind_the_data", "data behind the ResponseData at offset"},
    {"behind_the_end", "data behind the OCSPResponse at offset"},
    {"behind_the_single", "data behind a SingleResponse at offset"},
    {"cert_id_sha1_of_32_octets", "a hash of the wrong length at offset"},
    {"certificate", "certificate at offset"},
    {"certificates_9", "too many certificates at offset"},
    {"cut_off", "an element that is cut off at offset 0"},
    {"empty", "an OCSPResponse was expected at offset 0"},
    {"error_with_response", "data behind the OCSPResponse's content at offset"},
    {"extensions_empty", "empty Extensions at offset"},
    {"good_with_content", "a CertStatus was expected at offset"},
    {"html", "an OCSPResponse was expected at offset 0"},
    {"next_update_trailing", "data behind nextUpdate at offset"},
    {"no_responder", "a ResponderID was expected at offset"},
    {"no_responses", "no response at all at offset"},
    {"nonce_empty", "a nonce that is empty or too long at offset"},
    {"nonce_of_129_octets", "a nonce that is empty or too long at offset"},
    {"nonce_raw", "a nonce was expected at offset"},
    {"nonce_trailing", "data behind the nonce at offset"},
    {"nonce_twice", "an extension twice at offset"},
    {"produced_at_utc_time", "producedAt was expected at offset"},
    {"reason_7", "a revocation reason that is none at offset"},
    {"responder_key_of_32_octets", "a key hash that is no SHA-1 at offset"},
    {"responder_no_name", "a RelativeDistinguishedName was expected at offset"},
    {"response_type", "a response type that is not basic at offset"},
    {"responses_257", "too many responses at offset"},
    {"revoked_without_time", "a revocation time was expected at offset"},
    {"signature_unused_bits", "a BIT STRING with unused bits at offset"},
    {"status_3", "a CertStatus was expected at offset"},
    {"status_4", "a responseStatus that is none at offset 2"},
    {"status_of_two_octets", "a responseStatus that is none at offset 2"},
    {"successful_without_response", "responseBytes were expected at offset 5"},
    {"time_with_fraction", "thisUpdate was expected at offset"},
    {"version_v1_written", "a version other than v1"},
};

TEST(OcspResponse, SaysWhatIsWrongAndWhere) {
  for (const auto& [file, detail] : kFaults) {
    const std::string name = std::string("ocsp_response/malformed_") + file + ".der";
    const auto parsed = parse_ocsp_response(SharedBytes::take(test_file(name)));
    ASSERT_FALSE(parsed) << file;
    EXPECT_EQ(parsed.error().reason, Refusal::malformed) << file;
    EXPECT_TRUE(parsed.error().detail.starts_with(detail)) << file << ": " << parsed.error().detail;
  }
  EXPECT_EQ(test_files("ocsp_response", "malformed_").size(), std::size(kFaults));
}

TEST(OcspResponse, LongerThanTheBoundIsMalformed) {
  const auto parsed =
      parse_ocsp_response(SharedBytes::take(std::string(kOcspResponseBytesMax + 1, '0')));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().detail, "an OCSPResponse that is too long");
}

TEST(OcspResponse, NamesItsResponderByNameOrByKey) {
  const auto issuer = *parse_certificate(SharedBytes::take(test_file("ocsp_response/issuer.der")));
  const auto by_name = response("good_by_ca");
  EXPECT_EQ(hex(by_name->responder_name), hex(issuer->subject));
  EXPECT_TRUE(by_name->responder_key_hash.empty());
  const auto by_key = response("good_by_key");
  EXPECT_TRUE(by_key->responder_name.empty());
  EXPECT_EQ(hex(by_key->responder_key_hash), hex(sha1(issuer->public_key)));
}

TEST(OcspResponse, HasEverySingleResponseInOrder) {
  const auto several = response("good_openssl_several");
  ASSERT_EQ(several->responses.size(), 3U);
  EXPECT_EQ(hex(several->responses[0].cert_id.serial), "1001");
  EXPECT_EQ(several->responses[0].status, OcspCertStatus::good);
  EXPECT_EQ(hex(several->responses[1].cert_id.serial), "2002");
  EXPECT_EQ(several->responses[1].status, OcspCertStatus::revoked);
  EXPECT_EQ(several->responses[1].reason, CrlReason::key_compromise);
  EXPECT_EQ(several->responses[1].revoked_at,
            WallSeconds(std::chrono::sys_days(std::chrono::January / 1 / 2026)));
  EXPECT_EQ(several->responses[2].status, OcspCertStatus::unknown);
  EXPECT_EQ(*several->responses[0].next_update - several->responses[0].this_update, 60min);
}

TEST(OcspResponse, HasItsNonceItsCertificatesAndNoMore) {
  const auto nonce = response("good_openssl_nonce");
  ASSERT_TRUE(nonce->nonce);
  EXPECT_EQ(nonce->nonce->size(), 16U);
  ASSERT_EQ(nonce->certificates.size(), 1U);
  EXPECT_TRUE(nonce->certificates[0]->ocsp_nocheck);
  EXPECT_FALSE(response("good_by_ca")->nonce);
  EXPECT_TRUE(response("good_by_ca")->certificates.empty());
  EXPECT_TRUE(response("good_remarks")->unknown_critical_extensions.empty());
  EXPECT_FALSE(response("good_without_next_update")->responses[0].next_update);
  EXPECT_EQ(response("revoked_without_reason")->responses[0].reason, CrlReason::unspecified);
}

TEST(OcspResponse, ErrorsHaveTheStandardsNames) {
  const std::pair<const char*, const char*> names[] = {{"malformed_request", "malformedRequest"},
                                                       {"internal_error", "internalError"},
                                                       {"try_later", "tryLater"},
                                                       {"sig_required", "sigRequired"},
                                                       {"unauthorized", "unauthorized"}};
  for (const auto& [file, name] : names) {
    EXPECT_EQ(to_string(response(std::string("error_") + file)->status), name);
  }
  EXPECT_EQ(to_string(response("good_by_ca")->status), "successful");
  EXPECT_EQ(to_string(OcspCertStatus::good), "good");
  EXPECT_EQ(to_string(OcspCertStatus::revoked), "revoked");
  EXPECT_EQ(to_string(OcspCertStatus::unknown), "unknown");
}

}  // namespace
}  // namespace revcache::pki
