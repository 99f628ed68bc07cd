#include "revocation/responder_table.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace revcache::revocation {
namespace {

pki::KeyHash key_number(std::uint8_t number) {
  pki::KeyHash key{};
  key.back() = number;
  return key;
}

ResponderTable two_authorities() {
  ResponderTable table;
  table.authorities.resize(2);
  table.authorities[0].name = "contoso";
  table.authorities[0].key = key_number(1);
  table.authorities[1].name = "fabrikam";
  table.authorities[1].key = key_number(2);
  return table;
}

TEST(ResponderTable, FindsAnAuthorityByItsKeyAndByItsName) {
  const ResponderTable table = two_authorities();
  EXPECT_EQ(table.find(key_number(2)), &table.authorities[1]);
  EXPECT_EQ(table.find(key_number(3)), nullptr);
  EXPECT_EQ(table.find(std::string_view("contoso")), table.authorities.data());
  EXPECT_EQ(table.find(std::string_view("Contoso")), nullptr);
  EXPECT_EQ(table.find(std::string_view()), nullptr);
  EXPECT_EQ(ResponderTable().find(key_number(0)), nullptr);
}

struct HostCase {
  std::string_view configured;
  std::string_view asked;
  std::uint16_t port;
  bool is_ours;
};

class ResponderHosts : public testing::TestWithParam<HostCase> {};

TEST_P(ResponderHosts, AreComparedWithTheirPorts) {
  ResponderTable table = two_authorities();
  table.authorities[1].responder_hosts = {"other.example:1", std::string(GetParam().configured)};
  EXPECT_EQ(table.answers_for_host(GetParam().asked, GetParam().port), GetParam().is_ours);
  EXPECT_EQ(table.authorities[1].answers_for_host(GetParam().asked, GetParam().port),
            GetParam().is_ours);
  EXPECT_FALSE(table.authorities[0].answers_for_host(GetParam().asked, GetParam().port));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ResponderHosts,
    testing::Values(HostCase{"ocsp.example", "ocsp.example", 80, true},
                    HostCase{"ocsp.example", "OCSP.Example", 80, true},
                    HostCase{"ocsp.example", "ocsp.example", 443, false},
                    HostCase{"ocsp.example", "ocsp.example", 8080, false},
                    HostCase{"ocsp.example:8080", "ocsp.example", 8080, true},
                    HostCase{"ocsp.example:8080", "ocsp.example", 80, false},
                    HostCase{"ocsp.example", "www.ocsp.example", 80, false},
                    HostCase{"ocsp.example", "ocsp.example.com", 80, false},
                    HostCase{"ocsp.example", "ocsp.exampl", 80, false},
                    HostCase{"ocsp.example", "", 80, false}, HostCase{"", "", 80, false},
                    HostCase{"192.0.2.1", "192.0.2.1", 80, true},
                    HostCase{"192.0.2.1:8080", "192.0.2.1", 8080, true},
                    HostCase{"[2001:db8::1]", "2001:db8::1", 80, true},
                    HostCase{"[2001:db8::1]:8080", "2001:db8::1", 8080, true},
                    HostCase{"[2001:db8::1]:8080", "[2001:db8::1]", 8080, true},
                    HostCase{"2001:db8::1", "2001:db8::1", 80, true},
                    HostCase{"2001:db8::1", "2001:db8:", 1, false},
                    HostCase{"ocsp.example:", "ocsp.example", 80, false},
                    HostCase{"ocsp.example:80x", "ocsp.example", 80, false},
                    HostCase{"ocsp.example:70000", "ocsp.example", 4464, false}));

}  // namespace
}  // namespace revcache::revocation
