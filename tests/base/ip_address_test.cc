// RFC 4291 2.2, RFC 5952, RFC 6890 and the IANA special-purpose registries.
#include "base/ip_address.h"

#include <gtest/gtest.h>

#include <string>

namespace revcache {
namespace {

struct Spelling {
  const char* text;
  const char* normal;  // nullptr: refused
};

const Spelling kSpellings[] = {
    {"1.2.3.4", "1.2.3.4"},
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"256.0.0.1", nullptr},
    {"1.2.3", nullptr},
    {"1.2.3.4.5", nullptr},
    {"1.2.3.", nullptr},
    {".1.2.3", nullptr},
    {"1..2.3", nullptr},
    {"01.2.3.4", nullptr},
    {"1.2.3.04", nullptr},
    {"0x1.2.3.4", nullptr},
    {"1.2.3.4 ", nullptr},
    {"+1.2.3.4", nullptr},
    {"-1.2.3.4", nullptr},
    {"16909060", nullptr},
    {"", nullptr},
    {"::", "::"},
    {"::1", "::1"},
    {"1::", "1::"},
    {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
    {"2001:DB8::00A", "2001:db8::a"},
    {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"1:0:0:0:2:0:0:0", "1::2:0:0:0"},
    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"0:0:0:0:0:0:0:0", "::"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
    {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
    {"::ffff:1.2.3.4", "1.2.3.4"},
    {"::ffff:102:304", "1.2.3.4"},
    {"0:0:0:0:0:FFFF:1.2.3.4", "1.2.3.4"},
    {"::1.2.3.4", "::102:304"},
    {":", nullptr},
    {":::", nullptr},
    {"1:::2", nullptr},
    {"1::2::3", nullptr},
    {":1", nullptr},
    {"1:", nullptr},
    {"1:2:3:4:5:6:7", nullptr},
    {"1:2:3:4:5:6:7:8:9", nullptr},
    {"1::2:3:4:5:6:7:8", nullptr},
    {"12345::", nullptr},
    {"g::", nullptr},
    {"::1%eth0", nullptr},
    {"[::1]", nullptr},
    {"::1.2.3", nullptr},
    {"::1.2.3.4:5", nullptr},
    {"1.2.3.4::", nullptr},
    {"1:2:3:4:5:6:7:1.2.3.4", nullptr},
    {"::1 ", nullptr},
};

TEST(IpAddress, HasOneTextForEverySpellingAndRefusesTheRest) {
  for (const Spelling& row : kSpellings) {
    const auto address = IpAddress::parse(row.text);
    ASSERT_EQ(address.has_value(), row.normal != nullptr) << row.text;
    if (!address) continue;
    EXPECT_EQ(address->to_string(), row.normal) << row.text;
    EXPECT_EQ(IpAddress::parse(row.normal), address) << row.text;
  }
}

TEST(IpAddress, IsTheIpv4AddressThatAMappedOneMeans) {
  std::array<std::uint8_t, 16> octets{};
  octets[10] = octets[11] = 0xff;
  octets[12] = 127;
  octets[15] = 1;
  const IpAddress address = IpAddress::v6(octets);
  EXPECT_TRUE(address.is_v4());
  EXPECT_EQ(address, IpAddress::v4({127, 0, 0, 1}));
  EXPECT_TRUE(address.is_loopback());
}

struct Reach {
  const char* text;
  bool is_private;
};

const Reach kReach[] = {
    {"0.0.0.0", true},
    {"0.255.255.255", true},
    {"1.0.0.0", false},
    {"9.255.255.255", false},
    {"10.0.0.0", true},
    {"10.255.255.255", true},
    {"11.0.0.0", false},
    {"100.63.255.255", false},
    {"100.64.0.0", true},
    {"100.127.255.255", true},
    {"100.128.0.0", false},
    {"126.255.255.255", false},
    {"127.0.0.1", true},
    {"127.255.255.255", true},
    {"128.0.0.0", false},
    {"169.253.255.255", false},
    {"169.254.169.254", true},
    {"169.255.0.0", false},
    {"172.15.255.255", false},
    {"172.16.0.0", true},
    {"172.31.255.255", true},
    {"172.32.0.0", false},
    {"192.0.0.1", true},
    {"192.0.1.0", false},
    {"192.0.2.1", true},
    {"192.88.99.1", true},
    {"192.167.255.255", false},
    {"192.168.0.1", true},
    {"192.169.0.0", false},
    {"198.17.255.255", false},
    {"198.18.0.0", true},
    {"198.19.255.255", true},
    {"198.20.0.0", false},
    {"198.51.100.7", true},
    {"203.0.113.7", true},
    {"203.0.114.0", false},
    {"223.255.255.255", false},
    {"224.0.0.1", true},
    {"239.255.255.255", true},
    {"240.0.0.1", true},
    {"255.255.255.255", true},
    {"::", true},
    {"::1", true},
    {"::ffff:127.0.0.1", true},
    {"::ffff:8.8.8.8", false},
    {"::8.8.8.8", true},
    {"64:ff9b::8.8.8.8", false},
    {"64:ff9b::10.0.0.1", true},
    {"64:ff9b::127.0.0.1", true},
    {"64:ff9b:1::8.8.8.8", true},
    {"100::1", true},
    {"2000::1", false},
    {"2001::1", true},
    {"2001:2::1", true},
    {"2001:10::1", true},
    {"2001:200::1", false},
    {"2001:db8::1", true},
    {"2001:db7::1", false},
    {"2002:808:808::1", false},
    {"2002:7f00:1::1", true},
    {"2002:a00:1::1", true},
    {"2002:c0a8:1::1", true},
    {"2606:4700::1", false},
    {"3fff::1", true},
    {"3fff:1000::1", false},
    {"4000::1", true},
    {"fc00::1", true},
    {"fdff::1", true},
    {"fe80::1", true},
    {"febf::1", true},
    {"fec0::1", true},
    {"ff02::1", true},
};

TEST(IpAddress, IsPrivateUnlessItIsAGloballyReachableDestination) {
  for (const Reach& row : kReach) {
    const auto address = IpAddress::parse(row.text);
    ASSERT_TRUE(address) << row.text;
    EXPECT_EQ(address->is_private(), row.is_private) << row.text;
  }
}

TEST(IpAddress, KnowsLoopback) {
  EXPECT_TRUE(IpAddress::parse("127.9.9.9")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("128.0.0.1")->is_loopback());
}

struct Membership {
  const char* network;
  const char* address;
  bool is_member;
};

const Membership kMemberships[] = {
    {"10.0.0.0/8", "10.255.0.1", true},
    {"10.0.0.0/8", "11.0.0.1", false},
    {"10.0.0.0/8", "::ffff:10.0.0.1", true},
    {"10.1.2.3", "10.1.2.3", true},
    {"10.1.2.3", "10.1.2.4", false},
    {"10.1.2.2/31", "10.1.2.3", true},
    {"10.1.2.2/31", "10.1.2.4", false},
    {"172.16.0.0/12", "172.31.255.255", true},
    {"172.16.0.0/12", "172.32.0.0", false},
    {"0.0.0.0/0", "255.255.255.255", true},
    {"0.0.0.0/0", "::1", false},
    {"::/0", "::1", true},
    {"::/0", "1.2.3.4", false},
    {"fe80::/10", "febf::1", true},
    {"fe80::/10", "fec0::1", false},
    {"::1", "::1", true},
    {"::1", "::2", false},
    {"2001:db8::/33", "2001:db8:7fff::1", true},
    {"2001:db8::/33", "2001:db8:8000::1", false},
    {"::ffff:10.0.0.0/104", "10.1.2.3", true},
    {"::ffff:10.0.0.0/104", "11.1.2.3", false},
};

TEST(IpNetwork, ContainsWhatItsPrefixSays) {
  for (const Membership& row : kMemberships) {
    const auto network = IpNetwork::parse(row.network);
    ASSERT_TRUE(network) << row.network;
    EXPECT_EQ(network->contains(*IpAddress::parse(row.address)), row.is_member)
        << row.network << " " << row.address;
  }
}

TEST(IpNetwork, RefusesHostBitsAndPrefixesThatDoNotFit) {
  for (const char* text : {"", "/8", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/",
                           "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0.0/ 8", "10.0.0/8", "fe80::1/10",
                           "::/129", "::ffff:0:0/95", "[::1]/128", "any"}) {
    EXPECT_FALSE(IpNetwork::parse(text)) << text;
  }
}

TEST(IpNetwork, WritesItselfDown) {
  EXPECT_EQ(IpNetwork::parse("10.0.0.0/8")->to_string(), "10.0.0.0/8");
  EXPECT_EQ(IpNetwork::parse("10.0.0.1")->to_string(), "10.0.0.1/32");
  EXPECT_EQ(IpNetwork::parse("::1")->to_string(), "::1/128");
}

TEST(SocketAddress, IsReadAndWritten) {
  for (const char* text : {"127.0.0.1:3128", "0.0.0.0:0", "[::1]:3128", "[::]:65535"}) {
    const auto address = SocketAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  for (const char* text : {"", ":1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+1",
                           "127.0.0.1:01", "::1:80", "[::1]", "[::1]80", "[127.0.0.1]:80",
                           "[::1:80", "localhost:80", "[::1%lo]:80", "[]:80", "[:80"}) {
    EXPECT_FALSE(SocketAddress::parse(text)) << text;
  }
}

}  // namespace
}  // namespace revcache
