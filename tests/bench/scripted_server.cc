#include "tests/bench/scripted_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace revcache::bench {

std::string ok(const std::string& body, const std::string& fields) {
  return "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

ScriptedServer::ScriptedServer(Script script, std::size_t held)
    : script_(std::move(script)), held_(held) {
  listener_ = socket(AF_INET, SOCK_STREAM, 0);
  wake_ = eventfd(0, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  listen(listener_, 512);
  socklen_t size = sizeof(address);
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

ScriptedServer::~ScriptedServer() {
  over_ = true;
  eventfd_write(wake_, 1);
  thread_.join();
  for (const Peer& peer : peers_) close(peer.descriptor);
  close(listener_);
  close(wake_);
}

void ScriptedServer::release() {
  released_ = true;
  eventfd_write(wake_, 1);
}

std::vector<std::string> ScriptedServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void ScriptedServer::serve() {
  while (!over_) {
    std::vector<pollfd> watched = {{listener_, POLLIN, 0}, {wake_, POLLIN, 0}};
    for (const Peer& peer : peers_) watched.push_back({peer.descriptor, POLLIN, 0});
    poll(watched.data(), watched.size(), -1);
    eventfd_t ignored = 0;
    if ((watched[1].revents & POLLIN) != 0) eventfd_read(wake_, &ignored);
    for (std::size_t at = 2; at < watched.size(); ++at) {
      if (watched[at].revents != 0) read_from(peers_[at - 2]);
    }
    if ((watched[0].revents & POLLIN) != 0) {
      peers_.push_back({accept(listener_, nullptr, nullptr), "", {}});
    }
    if (requests().size() >= held_) released_ = true;
    for (Peer& peer : peers_) answer(peer);
    std::erase_if(peers_, [](const Peer& peer) { return peer.descriptor < 0; });
  }
}

void ScriptedServer::read_from(Peer& peer) {
  char buffer[16384];
  const ssize_t count = read(peer.descriptor, buffer, sizeof(buffer));
  if (count <= 0) {
    close(peer.descriptor);
    peer.descriptor = -1;
    return;
  }
  peer.received.append(buffer, static_cast<std::size_t>(count));
  const std::lock_guard lock(mutex_);
  for (std::size_t end = 0; (end = peer.received.find("\r\n\r\n")) != std::string::npos;) {
    peer.unanswered.push_back(requests_.size());
    requests_.push_back(peer.received.substr(0, end + 4));
    peer.received.erase(0, end + 4);
  }
}

void ScriptedServer::answer(Peer& peer) {
  if (peer.descriptor < 0 || !released_) return;
  for (const std::size_t index : std::exchange(peer.unanswered, {})) {
    const std::string text = script_(index, requests()[index]);
    const bool sent = !text.empty() && send(peer.descriptor, text.data(), text.size(),
                                            MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
    if (sent) continue;
    close(peer.descriptor);
    peer.descriptor = -1;
    return;
  }
}

}  // namespace revcache::bench
