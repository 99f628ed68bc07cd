#include "admin/server.h"

#include <utility>
#include <vector>

#include "admin/connection.h"

namespace revcache::admin {

AdminServer::AdminServer(AdminEnvironment environment, AdminOptions options, AdminSources sources)
    : environment_(environment),
      options_(std::move(options)),
      sources_(std::make_shared<const AdminSources>(std::move(sources))) {}

AdminServer::~AdminServer() {
  while (!connections_.empty()) connections_.begin()->second->close();
}

void AdminServer::accept(std::unique_ptr<net::Stream> stream) {
  if (connections_.size() >= options_.connections_max) return;
  const std::size_t id = next_id_++;
  auto connection = std::make_shared<AdminConnection>(*this, id, std::move(stream));
  connections_.emplace(id, connection);
  connection->start();
}

void AdminServer::apply(AccessRules rules) { options_.rules = std::move(rules); }

void AdminServer::drain() {
  draining_ = true;
  std::vector<std::shared_ptr<AdminConnection>> all;
  all.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) all.push_back(connection);
  for (const auto& connection : all) connection->drain();
}

void AdminServer::retire(std::size_t id) { connections_.erase(id); }

}  // namespace revcache::admin
