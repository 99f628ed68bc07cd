#include "cache/validation.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

#include "cache/byte_range.h"
#include "cache/freshness.h"
#include "cache/storability.h"
#include "http/cache_control.h"
#include "http/characters.h"
#include "http/date.h"

namespace revcache::cache {
namespace {

using http::FieldId;
using http::FieldsView;
using TagMatch = bool (*)(std::string_view, std::string_view) noexcept;

constexpr auto kConditions =
    std::to_array<FieldId>({FieldId::if_match, FieldId::if_none_match, FieldId::if_modified_since,
                            FieldId::if_unmodified_since, FieldId::if_range, FieldId::range});

// RFC 9111 3.2: what describes the body that is kept, not the answer that freshens it.
constexpr auto kOfTheBody =
    std::to_array<FieldId>({FieldId::content_length, FieldId::content_encoding,
                            FieldId::content_type, FieldId::content_range});

// True of one answer only.
constexpr auto kOfOneAnswer =
    std::to_array<FieldId>({FieldId::age, FieldId::date, FieldId::cache_status});

constexpr std::uint64_t mask(std::span<const FieldId> ids) noexcept {
  std::uint64_t bits = 0;
  for (const FieldId id : ids) bits |= FieldsView::bit(id);
  return bits;
}

constexpr std::uint64_t kConditional = mask(kConditions);

// "*" or a list of entity-tags, over one or several lines.
bool names_tag(const FieldsView& request, FieldId id, std::string_view etag,
               TagMatch match) noexcept {
  for (const http::Field& field : request) {
    if (field.id != id) continue;
    if (field.value == "*") return true;
    for (std::string_view rest = field.value; !rest.empty();) {
      if (match(http::next_element(rest), etag)) return true;
    }
  }
  return false;
}

// The date of a condition; nullopt when it is to be ignored: no HTTP-date, or more than one.
std::optional<WallSeconds> condition_date(const FieldsView& request, FieldId id,
                                          WallSeconds now) noexcept {
  if (request.count(id) != 1) return std::nullopt;
  return http::parse_date(request.find(id).value_or(""), now);
}

// Steps 1 and 2 of RFC 9110 13.2.2.
bool origin_condition_fails(const FieldsView& request, const StoredResponse& stored,
                            WallSeconds now) noexcept {
  if (request.has(FieldId::if_match)) {
    return !names_tag(request, FieldId::if_match, stored.etag, strong_match);
  }
  const auto date = condition_date(request, FieldId::if_unmodified_since, now);
  return date && stored.last_modified && *stored.last_modified > *date;
}

// If-Modified-Since. Without Last-Modified the Date stands for it, else the time of arrival (RFC
// 9111 4.3.2).
bool is_unmodified(const FieldsView& request, const StoredResponse& stored,
                   WallSeconds now) noexcept {
  const auto since = condition_date(request, FieldId::if_modified_since, now);
  if (!since) return false;
  const auto received = std::chrono::floor<std::chrono::seconds>(stored.freshness.response_time);
  return stored.last_modified.value_or(stored.date.value_or(received)) <= *since;
}

// Steps 3 and 4: If-Modified-Since counts only without If-None-Match, and only for GET and HEAD.
bool is_already_there(const FieldsView& request, bool reads, const StoredResponse& stored,
                      WallSeconds now) noexcept {
  if (request.has(FieldId::if_none_match)) {
    return names_tag(request, FieldId::if_none_match, stored.etag, weak_match);
  }
  return reads && is_unmodified(request, stored, now);
}

// RFC 9110 8.8.2.2: a modification time is strong when the response was made at least one second
// later, as nothing could then change unnoticed within the same second.
bool is_last_modified_strong(const StoredResponse& stored) noexcept {
  return stored.last_modified && stored.date &&
         *stored.date >= *stored.last_modified + std::chrono::seconds{1};
}

// RFC 9110 13.1.5.
bool if_range_holds(const FieldsView& request, const StoredResponse& stored,
                    WallSeconds now) noexcept {
  if (!request.has(FieldId::if_range)) return true;
  if (request.count(FieldId::if_range) != 1) return false;
  const std::string_view validator = request.find(FieldId::if_range).value_or("");
  if (strong_match(validator, stored.etag)) return true;
  const auto date = http::parse_date(validator, now);
  return date && is_last_modified_strong(stored) && *date == *stored.last_modified;
}

ReplyPlan plan_range(const FieldsView& request, const StoredResponse& stored,
                     WallSeconds now) noexcept {
  // Range is no list of lines: two of them are not understood.
  if (request.count(FieldId::range) != 1 || !if_range_holds(request, stored, now)) return {};
  const ByteRange range =
      parse_byte_range(request.find(FieldId::range).value_or(""), stored.body_bytes);
  switch (range.outcome) {
    case RangeOutcome::ignored:
      return {};
    case RangeOutcome::unsatisfiable:
      return {.reply = Reply::range_not_satisfiable};
    case RangeOutcome::satisfiable:
      break;
  }
  return {.reply = Reply::partial, .first = range.first, .last = range.last};
}

bool is_weak(std::string_view tag) noexcept { return tag.starts_with("W/"); }

std::string_view opaque_tag(std::string_view tag) noexcept {
  return is_weak(tag) ? tag.substr(2) : tag;
}

std::optional<WallSeconds> last_modified_of(const http::ResponseHead& head,
                                            const StoredResponse& stored) noexcept {
  const auto text = head.fields.find(FieldId::last_modified);
  if (!text) return std::nullopt;
  const auto received = std::chrono::floor<std::chrono::seconds>(stored.freshness.response_time);
  return http::parse_date(*text, received);
}

// True if a line of the stored response gives way to those of the same name in `update`.
bool has_name(const FieldsView& update, const http::Field& field) noexcept {
  if (field.id != FieldId::other) return update.has(field.id);
  return update.find(field.name).has_value();
}

bool same_name(const http::Field& left, const http::Field& right) noexcept {
  return left.id == right.id &&
         (left.id != FieldId::other || http::equals_ignoring_case(left.name, right.name));
}

// The stored lines in their order, each name replaced as a whole where `update` has it, at the
// place of its first line; what is new goes to the end.
http::Fields merge(const FieldsView& stored, const FieldsView& update) {
  http::Fields merged;
  const auto add_all = [&](const http::Field& name) {
    for (const http::Field& field : update) {
      if (same_name(field, name)) merged.add(field.name, field.value);
    }
  };
  for (const http::Field& field : stored) {
    if ((mask(kOfOneAnswer) & FieldsView::bit(field.id)) != 0) continue;
    if (!has_name(update, field)) {
      merged.add(field.name, field.value);
    } else if (!has_name(merged.view(), field)) {
      add_all(field);
    }
  }
  for (const http::Field& field : update) {
    if (!has_name(merged.view(), field)) add_all(field);
  }
  return merged;
}

// The part of the new answer's fields that replaces stored ones.
http::Fields updating_fields(const StoredResponse& stored, const http::ResponseHead& head) {
  http::Fields update =
      storable_fields(head.fields.view(), http::parse_response_directives(head.fields.view()));
  for (const FieldId id : kOfTheBody) update.remove(id);
  // The two match; the stored spelling stays, which may be the strong one.
  if (!stored.etag.empty()) update.remove(FieldId::etag);
  return update;
}

}  // namespace

bool strong_match(std::string_view left, std::string_view right) noexcept {
  return !left.empty() && !is_weak(left) && left == right;
}

bool weak_match(std::string_view left, std::string_view right) noexcept {
  return !left.empty() && opaque_tag(left) == opaque_tag(right);
}

ReplyPlan plan_reply(http::Method method, const http::FieldsView& request,
                     const StoredResponse& stored, WallSeconds now, Role role) {
  if (!request.has_any(kConditional) || stored.status != 200) return {};
  const bool reads = method == http::Method::get || method == http::Method::head;
  if (role == Role::cache && !reads) return {};
  if (role == Role::origin_server && origin_condition_fails(request, stored, now)) {
    return {.reply = Reply::precondition_failed};
  }
  if (is_already_there(request, reads, stored, now)) {
    return {.reply = reads ? Reply::not_modified : Reply::precondition_failed};
  }
  return method == http::Method::get ? plan_range(request, stored, now) : ReplyPlan{};
}

void add_validators(http::Fields& request, const StoredResponse& stored) {
  if (stored.etag.empty() && !stored.last_modified) return;
  // The client's own would be evaluated before ours, or together with them.
  for (const FieldId id : kConditions) request.remove(id);
  if (!stored.etag.empty()) request.add(FieldId::if_none_match, stored.etag);
  if (stored.last_modified) {
    // As received, for origins that compare text (RFC 9110 13.1.3).
    const auto text = stored.fields.find(FieldId::last_modified);
    request.add(FieldId::if_modified_since,
                text ? std::string(*text) : http::date_text(*stored.last_modified));
  }
}

bool can_freshen(const StoredResponse& stored, const http::ResponseHead& not_modified) {
  if (not_modified.status != 304) return false;
  const std::string_view etag = not_modified.fields.find(FieldId::etag).value_or("");
  const auto last_modified = last_modified_of(not_modified, stored);
  if (!etag.empty() && !is_weak(etag)) return strong_match(etag, stored.etag);
  if (!etag.empty() && !stored.etag.empty()) return weak_match(etag, stored.etag);
  if (last_modified) return last_modified == stored.last_modified;
  return etag.empty();
}

StoredResponsePtr freshen(const StoredResponse& stored, const http::ResponseHead& not_modified,
                          WallTime request_time, WallTime response_time, std::uint64_t purge_mark) {
  http::ResponseHead merged;
  merged.status = stored.status;
  merged.fields = merge(stored.fields.view(), updating_fields(stored, not_modified).view());

  StoredResponse fresh(stored);
  fresh.freshness = freshness_facts(merged, http::parse_response_directives(merged.fields.view()),
                                    request_time, response_time);
  fresh.freshness.usable_until = stored.freshness.usable_until;
  fresh.fields = std::move(merged.fields);
  fresh.purge_mark = purge_mark;
  return finish(std::move(fresh));
}

bool head_matches(const StoredResponse& stored, const http::ResponseHead& head) {
  if (head.status != 200) return false;
  const auto etag = head.fields.find(FieldId::etag);
  const auto last_modified = head.fields.find(FieldId::last_modified);
  const auto length = head.fields.find(FieldId::content_length);
  if (etag && !weak_match(*etag, stored.etag)) return false;
  if (last_modified) {
    const auto time = last_modified_of(head, stored);
    if (!time || time != stored.last_modified) return false;
  }
  if (length && *length != std::to_string(stored.body_bytes)) return false;
  return etag || last_modified || length;
}

}  // namespace revcache::cache
