#include "revocation/ocsp_ready.h"

#include <utility>

namespace revcache::revocation {

OcspService::Ready* OcspService::ReadyList::find(std::string_view question_key) {
  const auto found = by_question_.find(question_key);
  if (found == by_question_.end()) return nullptr;
  if (walk_ == found->second) ++walk_;
  order_.splice(order_.begin(), order_, found->second);
  return &*found->second;
}

OcspService::Ready* OcspService::ReadyList::peek(std::string_view question_key) {
  const auto found = by_question_.find(question_key);
  return found == by_question_.end() ? nullptr : &*found->second;
}

OcspService::Ready& OcspService::ReadyList::put(std::string_view question_key,
                                                std::string_view identity,
                                                cache::StoredResponsePtr response) {
  const auto found = by_question_.find(question_key);
  Ready* ready = nullptr;
  if (found != by_question_.end()) {
    ready = &*found->second;
  } else {
    if (order_.size() >= entries_max_) drop(std::prev(order_.end()));
    ready = &order_.emplace_front();
    ready->question_key = question_key;
    by_question_.emplace(ready->question_key, order_.begin());
  }
  ready->identity = identity;
  ready->produced_at = std::chrono::floor<std::chrono::seconds>(response->freshness.response_time);
  ready->next_update = std::chrono::floor<std::chrono::seconds>(*response->freshness.usable_until);
  ready->response = std::move(response);
  ready->renewing = false;
  return *ready;
}

void OcspService::ReadyList::erase(std::string_view question_key) {
  const auto found = by_question_.find(question_key);
  if (found != by_question_.end()) drop(found->second);
}

void OcspService::ReadyList::drop(Order::iterator at) {
  if (walk_ == at) ++walk_;
  by_question_.erase(at->question_key);
  order_.erase(at);
}

OcspService::Ready* OcspService::ReadyList::next_to_look_at() {
  if (order_.empty()) return nullptr;
  if (walk_ == order_.end()) walk_ = order_.begin();
  return &*walk_++;
}

}  // namespace revcache::revocation
