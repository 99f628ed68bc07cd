#include "cache/purge_log.h"

#include <algorithm>
#include <iterator>

#include "cache/cache_key.h"

namespace revcache::cache {
namespace {

// Neither a URI nor an origin contains a control character: the first one ends it, and begins what
// tells variants apart (vary.h) or frames an OCSP key (cache_key.h).
std::size_t end_of_text(std::string_view key) noexcept {
  const auto* const end =
      std::ranges::find_if(key, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  return static_cast<std::size_t>(end - key.begin());
}

bool is_ocsp_key(std::string_view key) noexcept { return !cert_id_in_ocsp_key(key).empty(); }

// The same question, or a variant under it: no key is the beginning of another one's.
bool begins_with_one_of(std::string_view key, const PurgeScope::Names& names) {
  auto after = names.upper_bound(key);
  return after != names.begin() && key.starts_with(*std::prev(after));
}

}  // namespace

std::string_view url_of_key(std::string_view key) noexcept {
  if (is_ocsp_key(key)) key.remove_prefix(1);
  return key.substr(0, end_of_text(key));
}

bool PurgeScope::covers(std::string_view key) const {
  if (everything) return true;
  const ByteView cert_id = cert_id_in_ocsp_key(key);
  if (cert_id.empty()) return urls.contains(url_of_key(key));
  return responders.contains(url_of_key(key)) || begins_with_one_of(key, ocsp_keys) ||
         (certificates != nullptr && certificates(cert_id));
}

std::set<std::string> PurgeScope::prefixes() const {
  if (everything) return {};
  std::set<std::string> all(urls.begin(), urls.end());
  all.insert(ocsp_keys.begin(), ocsp_keys.end());
  for (const std::string& responder : responders) all.insert(ocsp_key_prefix(responder));
  if (certificates != nullptr) all.insert(ocsp_key_prefix({}));
  return all;
}

void PurgeLog::begin(const std::shared_ptr<const PurgeScope>& scope) {
  state_.with([&](State& state) {
    if (state.purges.size() == kPurgesMax && state.purges.front().ended != kUnderWay) {
      state.forgotten = state.purges.front().ended;
      state.purges.pop_front();
    }
    state.purges.push_back({.scope = scope});
    tell(state);
  });
}

void PurgeLog::end(const std::shared_ptr<const PurgeScope>& scope) {
  state_.with([&](State& state) {
    const auto found = std::ranges::find(state.purges, scope, &Purge::scope);
    if (found == state.purges.end()) return;
    found->ended = ended_.load() + 1;
    // In this order: a mark of the new count must not meet a word that says under way.
    ended_.store(found->ended);
    tell(state);
  });
}

bool PurgeLog::was_purged(std::string_view key, Mark mark) const {
  return state_.with([&](const State& state) {
    if (mark < state.forgotten) return true;
    return std::ranges::any_of(state.purges, [&](const Purge& purge) {
      return mark < purge.ended && purge.scope->covers(key);
    });
  });
}

void PurgeLog::tell(const State& state) noexcept {
  const bool under_way =
      std::ranges::any_of(state.purges, [](const Purge& one) { return one.ended == kUnderWay; });
  newest_.store(under_way ? kUnderWay : ended_.load());
}

}  // namespace revcache::cache
