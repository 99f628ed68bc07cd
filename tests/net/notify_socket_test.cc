#include "net/notify_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "test_certificates.h"

namespace revcache::net {
namespace {

// What the service manager has: a datagram socket at a path, or at an abstract name ('@').
class ServiceManager {
 public:
  explicit ServiceManager(const std::string& address)
      : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un bound{};
    bound.sun_family = AF_UNIX;
    std::memcpy(bound.sun_path, address.data(), address.size());
    if (address.front() == '@') bound.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size() +
                                               (address.front() == '@' ? 0U : 1U));
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&bound), length), 0);
  }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;
  ~ServiceManager() { ::close(fd_); }

  std::string receive() const {
    std::array<char, 512> message{};
    const ssize_t size = ::recv(fd_, message.data(), message.size(), 0);
    return size < 0 ? "nothing" : std::string(message.data(), static_cast<std::size_t>(size));
  }

 private:
  int fd_;
};

TEST(NotifySocket, TellsEachStateToAPathAndToAnAbstractName) {
  const TestDirectory directory;
  for (const std::string& address :
       {directory.path("notify"), "@revcache-test-" + std::to_string(::getpid())}) {
    const ServiceManager manager(address);
    const NotifySocket notify(address);
    EXPECT_TRUE(notify.ready());
    EXPECT_EQ(manager.receive(), "READY=1");
    EXPECT_TRUE(notify.reloading(MonotonicTime(std::chrono::milliseconds(7))));
    EXPECT_EQ(manager.receive(), "RELOADING=1\nMONOTONIC_USEC=7000");
    EXPECT_TRUE(notify.status("2 workers\nREADY=1"));
    EXPECT_EQ(manager.receive(), "STATUS=2 workers READY=1");
    EXPECT_TRUE(notify.stopping());
    EXPECT_EQ(manager.receive(), "STOPPING=1");
    EXPECT_EQ(manager.receive(), "nothing");
  }
}

TEST(NotifySocket, DoesNothingWithoutAServiceManager) { EXPECT_TRUE(NotifySocket("").ready()); }

TEST(NotifySocket, SaysWhyItCannotTell) {
  const TestDirectory directory;
  for (const std::string& address :
       {directory.path("nobody"), std::string("relative"), "/" + std::string(200, 'x')}) {
    const auto outcome = NotifySocket(address).ready();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().blame, Blame::local);
    EXPECT_NE(outcome.error().detail.find(address), std::string::npos);
  }
}

}  // namespace
}  // namespace revcache::net
