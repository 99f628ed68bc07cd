#include "cache/http_cache.h"

#include <utility>

#include "cache/fetch.h"
#include "cache/transaction.h"
#include "cache/vary.h"

namespace revcache::cache {

namespace {

metrics::LookupOutcome outcome_of(const Decision& decision) noexcept {
  switch (decision.use) {
    case Use::fresh:
      return metrics::LookupOutcome::hit;
    case Use::stale:
    case Use::stale_while_revalidate:
    case Use::validate:
      return metrics::LookupOutcome::stale;
    case Use::unusable:
      return metrics::LookupOutcome::miss;
  }
  return metrics::LookupOutcome::miss;
}

// A generation tells the variants of this index from those of an index that was invalidated: its
// time of making, which the next index cannot share unless it names the same fields.
StoredResponsePtr new_generation(const StoredResponse& index, WallTime now, PurgeLog::Mark mark) {
  StoredResponse dated(index);
  dated.purge_mark = mark;
  dated.freshness.response_time = now;
  return finish(std::move(dated));
}

}  // namespace

std::optional<HttpCache::Hit> HttpCache::find_now(std::string_view key,
                                                  const http::FieldsView& fields,
                                                  const http::RequestDirectives& directives) {
  auto stored = find_variant_in_memory(context_.shared.memory, key, fields);
  if (stored == nullptr) return std::nullopt;
  if (!still_holds(context_, *stored)) {
    drop_contradicted(context_, *stored);
    return std::nullopt;
  }
  const Decision decision = decide(*stored, directives, context_.clock.wall());
  const bool usable = decision.use == Use::fresh || decision.use == Use::stale ||
                      decision.use == Use::stale_while_revalidate;
  if (!usable) return std::nullopt;  // the transaction looks again, and counts
  context_.metrics
      .cache_lookups[metrics::index(stored->kind)][metrics::index(metrics::TierLabel::memory)]
                    [metrics::index(outcome_of(decision))]
      .add();
  note_asked(context_.shared, *stored);
  return Hit{std::move(stored), decision};
}

std::unique_ptr<PendingAnswer> HttpCache::start(CacheRequest request, AnswerSink& sink) {
  auto transaction = std::make_shared<Transaction>(context_, std::move(request), &sink);
  transaction->start();
  return std::make_unique<TransactionHold>(std::move(transaction));
}

void HttpCache::validate_behind(CacheRequest request) {
  std::make_shared<Transaction>(context_, std::move(request), nullptr)->start_behind();
}

void HttpCache::abort_all() {
  while (!context_.active.empty()) (*context_.active.begin())->abort();
}

void note_asked(SharedCache& shared, const StoredResponse& stored) noexcept {
  const bool is_crl = stored.kind == ObjectKind::crl || stored.kind == ObjectKind::delta_crl;
  if (is_crl) shared.asked.set(stored.asked_mark);
}

StoredResponsePtr find_variant_in_memory(const MemoryTier& memory, std::string_view key,
                                         const http::FieldsView& fields) {
  auto stored = memory.find(key);
  if (stored == nullptr || !stored->vary_index) return stored;
  return memory.find(variant_key_in(*stored, fields));
}

std::string variant_key_in(const StoredResponse& vary_index, const http::FieldsView& fields) {
  const auto made = vary_index.freshness.response_time.time_since_epoch().count();
  return variant_key(vary_index.key + '\x1f' + std::to_string(made),
                     vary_values(indexed_names(vary_index), fields));
}

// Looked at before, as a rule, and after: a purge that begins in between may have passed this shard
// already, but then its beginning is seen now.
bool put_in_memory(const CacheContext& context, const StoredResponsePtr& entry,
                   PurgeLog::Mark mark) {
  const PurgeLog& purges = context.shared.purges;
  if (purges.forbids(entry->key, mark)) return false;
  context.shared.memory.put(entry);
  if (!purges.forbids(entry->key, mark)) return true;
  context.shared.memory.erase(entry->key);
  return false;
}

void put_negative(const CacheContext& context, const CacheRequest& request, NegativeAnswer answer) {
  const PurgeLog& purges = context.shared.purges;
  if (purges.forbids(request.key, request.purge_mark)) return;
  context.shared.negative.put(request.key, std::move(answer), context.clock.monotonic());
  if (purges.forbids(request.key, request.purge_mark)) context.shared.negative.erase(request.key);
}

std::vector<StoredResponsePtr> store_in_memory(const CacheContext& context,
                                               const StoredResponsePtr& response,
                                               const http::FieldsView& request_fields) {
  std::vector<StoredResponsePtr> stored;
  const auto put = [&](const StoredResponsePtr& entry) {
    if (put_in_memory(context, entry, response->purge_mark)) stored.push_back(entry);
  };
  if (context.shared.purges.forbids(response->key, response->purge_mark)) return stored;
  context.shared.negative.erase(response->key);
  context.shared.remembered.note_stored(response->key);
  const auto names = vary_names(response->fields.view());
  if (names.empty()) {
    put(response);
    return stored;
  }

  auto index = context.shared.memory.find(response->key);
  if (index != nullptr && !index->vary_index) index = nullptr;
  auto wanted = make_vary_index(response->key, names, index.get());
  if (index == nullptr || indexed_names(*index) != indexed_names(*wanted)) {
    index = new_generation(*wanted, context.clock.wall(), response->purge_mark);
    put(index);
  }
  StoredResponse variant(*response);
  variant.vary = vary_values(indexed_names(*index), request_fields);
  variant.key = variant_key_in(*index, request_fields);
  put(finish(std::move(variant)));
  return stored;
}

void store_on_disk(const CacheContext& context, const std::vector<StoredResponsePtr>& entries) {
  if (context.disk == nullptr) return;
  for (const auto& entry : entries) context.disk->put(entry, [](const Result<void>&) {});
}

bool still_holds(const CacheContext& context, const StoredResponse& stored) {
  if (stored.kind != ObjectKind::ocsp || stored.vary_index) return true;
  return context.admission.still_holds(stored);
}

void drop_contradicted(const CacheContext& context, const StoredResponse& stored) {
  context.log.info("ocsp answer dropped: revoked since it was given");
  erase(context, stored.key);
}

void erase(const CacheContext& context, const std::string& key) {
  context.shared.memory.erase(key);
  context.shared.negative.erase(key);
  context.shared.remembered.note_removed(key);
  if (context.disk != nullptr) context.disk->erase(key, [](const Result<void>&) {});
}

}  // namespace revcache::cache
