#include "bench/generator/cache_result.h"

#include <strings.h>

#include <algorithm>
#include <optional>

namespace revcache::bench {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool same(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

// Cuts `text` up to the next `separator` outside of a quoted string.
std::string_view next_part(std::string_view& text, char separator) noexcept {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '\\' && quoted) {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (text[at] == separator && !quoted) {
      break;
    }
  }
  const std::string_view part = trimmed(text.substr(0, at));
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

struct Parameters {
  bool hit = false;
  bool collapsed = false;
  std::string_view forwarded;
  std::string_view forward_status;
  std::string_view ttl;
  std::string_view detail;
};

Parameters parameters_of(std::string_view member) noexcept {
  Parameters found;
  next_part(member, ';');  // the cache's name
  while (!member.empty()) {
    std::string_view value = next_part(member, ';');
    const std::string_view name = next_part(value, '=');
    if (name == "hit") found.hit = value != "?0";
    if (name == "collapsed") found.collapsed = value != "?0";
    if (name == "fwd") found.forwarded = value;
    if (name == "fwd-status") found.forward_status = value;
    if (name == "ttl") found.ttl = value;
    if (name == "detail") found.detail = value;
  }
  return found;
}

CacheResult of_cache_status(std::string_view list) noexcept {
  std::string_view last;
  while (!list.empty()) {
    const std::string_view member = next_part(list, ',');
    if (!member.empty()) last = member;
  }
  const Parameters found = parameters_of(last);
  if (found.detail == "negative") return CacheResult::negative;
  if (found.hit) return found.ttl.starts_with('-') ? CacheResult::stale : CacheResult::hit;
  if (found.detail == "stale-if-error") return CacheResult::stale_error;
  if (found.collapsed) return CacheResult::collapsed;
  if (found.forwarded.empty()) return CacheResult::none;
  if (found.forwarded == "bypass" || found.forwarded == "method") return CacheResult::bypass;
  return found.forward_status == "304" ? CacheResult::revalidated : CacheResult::miss;
}

// The words of nginx's $upstream_cache_status, and those that others use.
CacheResult of_word(std::string_view text) noexcept {
  const std::string_view word = text.substr(0, text.find_first_of(" ,;"));
  struct Meaning {
    std::string_view word;
    CacheResult result;
  };
  static constexpr std::array<Meaning, 9> kMeanings = {{{"HIT", CacheResult::hit},
                                                        {"TCP_HIT", CacheResult::hit},
                                                        {"STALE", CacheResult::stale},
                                                        {"UPDATING", CacheResult::stale},
                                                        {"REVALIDATED", CacheResult::revalidated},
                                                        {"MISS", CacheResult::miss},
                                                        {"TCP_MISS", CacheResult::miss},
                                                        {"EXPIRED", CacheResult::miss},
                                                        {"BYPASS", CacheResult::bypass}}};
  for (const Meaning& meaning : kMeanings) {
    if (same(word, meaning.word)) return meaning.result;
  }
  return CacheResult::none;
}

}  // namespace

CacheResult cache_result_of(const CacheFields& fields) noexcept {
  if (!trimmed(fields.cache_status).empty()) return of_cache_status(fields.cache_status);
  if (!fields.x_cache_status.empty()) return of_word(trimmed(fields.x_cache_status));
  return of_word(trimmed(fields.x_cache));
}

bool waited_for_upstream(CacheResult result) noexcept {
  switch (result) {
    case CacheResult::revalidated:
    case CacheResult::collapsed:
    case CacheResult::miss:
    case CacheResult::stale_error:
    case CacheResult::bypass:
      return true;
    case CacheResult::none:
    case CacheResult::hit:
    case CacheResult::stale:
    case CacheResult::negative:
      return false;
  }
  return false;
}

}  // namespace revcache::bench
