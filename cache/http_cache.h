// The cache as a proxy uses it: one HttpCache per loop over what all loops share. A hit is a plain
// call (find_now); whatever must wait is a Transaction.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/object_kind.h"
#include "cache/admission.h"
#include "cache/asked_marks.h"
#include "cache/body_release.h"
#include "cache/cache_status.h"
#include "cache/coalescer.h"
#include "cache/freshness.h"
#include "cache/memory_tier.h"
#include "cache/negative_cache.h"
#include "cache/options.h"
#include "cache/origin.h"
#include "cache/purge_log.h"
#include "cache/remembered_keys.h"
#include "cache/silent_origins.h"
#include "cache/stored_response.h"
#include "cache/tier.h"
#include "http/cache_control.h"
#include "http/message.h"
#include "http/uri.h"
#include "metrics/log.h"
#include "metrics/metrics.h"
#include "net/executor.h"
#include "net/timers.h"

namespace revcache::cache {

// Shared by all loops; thread-safe.
struct SharedCache {
  SharedCache(const Options& cache_options, std::uint64_t hash_seed)
      : options(cache_options),
        memory(cache_options.memory_bytes, hash_seed),
        coalescer(cache_options.collapse_waiters_max, hash_seed) {}

  const Options options;
  BodyRelease bodies;  // before all that holds some
  MemoryTier memory;
  AskedMarks asked;           // which CRLs clients asked for
  RememberedKeys remembered;  // what was stored once: tells why it is missed
  Coalescer coalescer;
  NegativeCache negative;
  SilentOrigins silent;
  PurgeLog purges;
};

class Fetch;

// The fetches under way on one loop, so that a shutdown can end them.
using ActiveFetches = std::unordered_set<Fetch*>;

// What the cache of one loop is made of. Everything outlives the HttpCache; loop thread only.
struct CacheContext {
  SharedCache& shared;
  Tier* disk;  // null: no disk tier
  Origin& origin;
  Admission& admission;
  net::Executor& executor;
  net::Timers& timers;
  const Clock& clock;
  metrics::LoopMetrics& metrics;
  metrics::Log& log;
  ActiveFetches& active;
};

// One client request, owned, as the cache needs it.
struct CacheRequest {
  http::Method method = http::Method::get;
  std::string method_text;
  http::Uri uri;
  http::Fields fields;  // end-to-end, without Host
  http::RequestDirectives directives;
  std::string key;  // normalised URI, or the OCSP key
  ObjectKind kind = ObjectKind::other;
  bool is_ocsp = false;                      // an OCSP question that can be shared: GET or POST
  bool has_nonce = false;                    // must be answered freshly; neither shared nor stored
  bool has_body = false;                     // `body` is sent, even an empty one
  bool for_refresh = false;                  // nobody asks: the refresher does
  std::string body;                          // whole content of an OCSP POST
  std::string ocsp_der;                      // the question, for admission
  RequestBodySource* body_source = nullptr;  // streamed content of other methods
  std::optional<std::uint64_t> body_length;
  std::optional<std::uint64_t> max_forwards;
  std::string cdn_loop;
  std::string via;
  PurgeLog::Mark purge_mark = 0;  // by the transaction
};

// A complete response for a client: conditional and range processing is the receiver's.
struct CacheAnswer {
  StoredResponsePtr response;
  CacheStatus status;
  std::chrono::seconds age{0};
  metrics::RequestResult result = metrics::RequestResult::miss;
  std::optional<Error> failure{};  // why upstream did not give it, when it stands in for that
};

// Receives the answer of one transaction: on_answer, or on_failed, or on_stream_head followed by
// pieces and on_stream_end or on_failed.
class AnswerSink {
 public:
  virtual void on_answer(CacheAnswer answer) = 0;
  virtual void on_stream_head(http::ResponseHead head, const CacheStatus& status,
                              metrics::RequestResult result) = 0;
  virtual void on_stream_body(std::string_view piece) = 0;
  virtual void on_stream_end() = 0;
  virtual void on_failed(Error error, metrics::RequestResult result) = 0;

 protected:
  ~AnswerSink() = default;
};

// The receiver's end of a transaction under way. Destroying it tells that nobody waits any more:
// the sink hears nothing more, while a fetch that fills the cache goes on.
class PendingAnswer {
 public:
  virtual ~PendingAnswer() = default;
  virtual void pause() = 0;  // back-pressure on a streamed answer
  virtual void resume() = 0;
  virtual void send_body(std::string_view piece, bool last) = 0;  // see RequestBodySource
};

class HttpCache {
 public:
  explicit HttpCache(CacheContext context) : context_(context) {}

  struct Hit {
    StoredResponsePtr response;
    Decision decision;  // use is fresh, stale or stale_while_revalidate
  };

  // A memory hit that may be sent as it is, for GET and HEAD or an OCSP question. Counts the
  // lookup. Neither waits nor allocates, but for responses with Vary.
  [[nodiscard]] std::optional<Hit> find_now(std::string_view key, const http::FieldsView& fields,
                                            const http::RequestDirectives& directives);

  // Everything else. `sink` must outlive the PendingAnswer and is never called before the return.
  [[nodiscard]] std::unique_ptr<PendingAnswer> start(CacheRequest request, AnswerSink& sink);

  // Validates a stored response with nobody waiting (stale-while-revalidate).
  void validate_behind(CacheRequest request);

  // Ends every fetch with an error, also those that nobody waits for: the drain deadline is over.
  void abort_all();

  [[nodiscard]] const CacheContext& context() const noexcept { return context_; }

 private:
  CacheContext context_;
};

// A client was given this: for the refresher, which drops CRLs that nobody asks for. Any thread.
void note_asked(SharedCache& shared, const StoredResponse& stored) noexcept;

// The entry for these request fields: what is under `key`, or the variant that an index there leads
// to. nullptr when absent from memory.
StoredResponsePtr find_variant_in_memory(const MemoryTier& memory, std::string_view key,
                                         const http::FieldsView& fields);

// The key under which the variant of `vary_index` for these fields lies.
std::string variant_key_in(const StoredResponse& vary_index, const http::FieldsView& fields);

// What was got by a request of this mark goes into the memory tier, unless it was purged since:
// then false. When a purge has ended, nothing of what it covered is there.
bool put_in_memory(const CacheContext& context, const StoredResponsePtr& entry,
                   PurgeLog::Mark mark);

// The same for the failure of a request.
void put_negative(const CacheContext& context, const CacheRequest& request, NegativeAnswer answer);

// Stores in memory, unless it was purged since it was asked for; splits off variants when the
// response has Vary. Gives what is to be written to disk: after the client has its answer, which
// the disk must not hold up.
[[nodiscard]] std::vector<StoredResponsePtr> store_in_memory(
    const CacheContext& context, const StoredResponsePtr& response,
    const http::FieldsView& request_fields);

// Behind: nobody waits for it.
void store_on_disk(const CacheContext& context, const std::vector<StoredResponsePtr>& entries);

// False: it says good for what was revoked since it was stored (Admission::still_holds), and must
// not be given to anybody.
[[nodiscard]] bool still_holds(const CacheContext& context, const StoredResponse& stored);

// Removes a stored response that holds no longer.
void drop_contradicted(const CacheContext& context, const StoredResponse& stored);

// Removes what is stored for a key from both tiers.
void erase(const CacheContext& context, const std::string& key);

}  // namespace revcache::cache
