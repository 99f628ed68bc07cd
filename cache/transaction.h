// One client request that the memory tier could not answer at once: disk, another's fetch, or
// upstream, and what is stale when all of them fail. See docs/architecture.md for the phases.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cache/fetch.h"
#include "cache/http_cache.h"
#include "net/timers.h"

namespace revcache::cache {

// Lives until its answer was given and its fetch, if any, has ended. Loop thread only.
class Transaction final : public FetchTarget, public std::enable_shared_from_this<Transaction> {
 public:
  // `sink` null: nobody waits; only the cache is to be filled.
  Transaction(const CacheContext& context, CacheRequest request, AnswerSink* sink);

  void start();
  // Skips the look-up: what is stored is to be validated although it may be used.
  void start_behind();

  void pause();
  void resume();
  void send_body(std::string_view piece, bool last);
  void client_gone();

  bool may_fall_back() const override;
  bool begin_stream(http::ResponseHead head, bool will_be_stored) override;
  void stream_body(std::string_view piece) override;
  void end_stream(const Error* error) override;
  void on_fetched(FetchOutcome outcome) override;

 private:
  [[nodiscard]] bool may_use_stored() const;
  [[nodiscard]] bool passes_conditions() const;
  [[nodiscard]] bool may_share() const;

  void look_on_disk(const std::string& key);
  void on_disk_answer(Result<StoredResponsePtr> found);
  bool use_stored(StoredResponsePtr stored, metrics::TierLabel tier);
  [[nodiscard]] bool holds(const StoredResponsePtr& stored) const;
  void count_lookup(metrics::TierLabel tier, metrics::LookupOutcome outcome);

  void count_miss();
  void count_miss(metrics::MissCause cause);
  // The cause of a cold miss is known once its answer is. null: there is none.
  void settle_cold_miss(const StoredResponse* got);

  void fetch_or_wait();
  bool answer_negative();
  bool answer_instead_of_silence();
  [[nodiscard]] bool is_forced() const;
  void join();
  [[nodiscard]] bool answer_of_last_flight();
  void on_flight(FlightOutcome outcome);
  void on_wait_timeout();
  void lead(bool shared);
  void end_flight(const FetchOutcome& outcome);

  void answer_collapsed(StoredResponsePtr response);
  void answer_fetched(const FetchOutcome& outcome);
  // `upstream_status`: of the answer that counts as a failure; 0: there was none.
  void fail_or_serve_stale(Error error, std::uint16_t upstream_status = 0);
  [[nodiscard]] bool may_serve_stale(const Error& error) const;
  // May be given, as may_serve_stale() has told. `status`: what is known of the way forward.
  void serve_stale(Error error, CacheStatus status);
  void answer(CacheAnswer answer);
  void fail(Error error, metrics::RequestResult result);
  [[nodiscard]] Forwarded forwarded() const;

  CacheContext context_;
  CacheRequest request_;
  AnswerSink* sink_;  // null once answered, or when nobody waits
  StoredResponsePtr stale_;
  StoredResponsePtr last_good_;  // an answer without nonce, for when upstream fails
  bool vary_miss_ = false;
  bool leads_flight_ = false;
  bool behind_ = false;
  bool has_cold_miss_ = false;  // that is not counted yet
  bool starting_ = false;       // start() has not returned: an answer must wait until it has
  std::string flight_key_;
  std::shared_ptr<Fetch> fetch_;
  std::unique_ptr<net::Timer> wait_timer_;
  MonotonicTime wait_began_;
  bool waiting_ = false;
  bool collapsed_ = false;  // what comes is another's fetch
};

// What a client connection holds; destroying it lets go of the transaction.
class TransactionHold final : public PendingAnswer {
 public:
  explicit TransactionHold(std::shared_ptr<Transaction> transaction)
      : transaction_(std::move(transaction)) {}
  TransactionHold(const TransactionHold&) = delete;
  TransactionHold& operator=(const TransactionHold&) = delete;
  ~TransactionHold() override { transaction_->client_gone(); }

  void pause() override { transaction_->pause(); }
  void resume() override { transaction_->resume(); }
  void send_body(std::string_view piece, bool last) override {
    transaction_->send_body(piece, last);
  }

 private:
  std::shared_ptr<Transaction> transaction_;
};

}  // namespace revcache::cache
