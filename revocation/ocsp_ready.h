// The answers that one loop has ready, by their question, the one asked for last first. Private to
// OcspService; loop thread only.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "cache/cache_key.h"
#include "cache/stored_response.h"
#include "revocation/ocsp_service.h"

namespace revcache::revocation {

struct OcspService::Ready {
  std::string question_key;
  std::string identity;
  cache::StoredResponsePtr response;
  WallSeconds produced_at;
  WallSeconds next_update;
  MonotonicTime asked_at;
  bool renewing = false;
};

struct OcspService::ReadyList {
  // Question keys: a mark that no key of the cache begins with, issuer key, signer, scheme,
  // validity, CertID.
  static constexpr char kMark = '\x02';
  static constexpr std::size_t kIssuerAt = 1;
  static constexpr std::size_t kSchemeAt = kIssuerAt + 2 * sizeof(pki::Sha256);
  static constexpr std::size_t kCertIdAt = kSchemeAt + 1 + 8;

  ReadyList(std::size_t entries_max, std::uint64_t hash_seed)
      : entries_max_(entries_max), by_question_(0, cache::KeyHasher(hash_seed)) {}

  // Makes it the first; nullptr: absent.
  Ready* find(std::string_view question_key);
  // Without making it the first.
  Ready* peek(std::string_view question_key);
  // Replaces what there is for the question, but for when it was asked. Past the bound the one that
  // nobody asked for longest goes.
  Ready& put(std::string_view question_key, std::string_view identity,
             cache::StoredResponsePtr response);
  void erase(std::string_view question_key);
  [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }

  // The next one of a walk around the list, from the last; nullptr when it is empty.
  Ready* next_to_look_at();

 private:
  using Order = std::list<Ready>;
  void drop(Order::iterator at);

  std::size_t entries_max_;
  Order order_;
  std::unordered_map<std::string_view, Order::iterator, cache::KeyHasher> by_question_;
  Order::iterator walk_ = order_.end();
};

}  // namespace revcache::revocation
