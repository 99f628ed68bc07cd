#include "tests/sim/sim_tier.h"

#include <memory>
#include <utility>

namespace revcache::sim {

namespace {

std::unexpected<Error> tier_failure() {
  return fail(ErrorCode::overloaded, Blame::local, "the simulated tier failed");
}

}  // namespace

void SimTier::find(const std::string& key, Callback<Result<cache::StoredResponsePtr>> done) {
  ++finds_;
  schedule([this, key, done = std::move(done)](bool failed) mutable {
    if (failed) return done(tier_failure());
    done(take(key));
  });
}

bool SimTier::certainly_absent(const std::string& key) {
  if (profile_.knows_absence_probability <= 0) return false;
  const bool known = scheduler_.chance(profile_.knows_absence_probability);
  return known && !entries_.contains(key) && !under_way_.contains(key);
}

void SimTier::read_piece(const cache::StoredResponsePtr& entry, std::uint64_t index,
                         Callback<Result<SharedBytes>> done) {
  ++piece_reads_;
  schedule([this, entry, index, done = std::move(done)](bool failed) mutable {
    if (failed) return done(tier_failure());
    done(piece(*entry, index));
  });
}

void SimTier::put(cache::StoredResponsePtr entry, Callback<Result<void>> done) {
  ++puts_;
  ++under_way_[entry->key];
  schedule([this, entry = std::move(entry), done = std::move(done)](bool failed) mutable {
    change_ended(entry->key);
    if (failed) return done(tier_failure());
    const std::string key = entry->key;
    entries_[key] = Entry{.whole = std::move(entry), .generation = next_generation_++};
    done({});
  });
}

void SimTier::erase(const std::string& key, Callback<Result<void>> done) {
  ++erases_;
  ++under_way_[key];
  schedule([this, key, done = std::move(done)](bool failed) mutable {
    change_ended(key);
    if (failed) return done(tier_failure());
    entries_.erase(key);
    done({});
  });
}

cache::StoredResponsePtr SimTier::stored(const std::string& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : found->second.whole;
}

void SimTier::schedule(Callback<bool> act) {
  auto delay = scheduler_.uniform(profile_.delay_min, profile_.delay_max);
  if (scheduler_.chance(profile_.slow_probability)) delay = profile_.slow_delay;
  const bool failed = scheduler_.chance(profile_.error_probability);
  scheduler_.after(delay, [act = std::move(act), failed]() mutable { act(failed); });
}

void SimTier::change_ended(const std::string& key) {
  const auto found = under_way_.find(key);
  if (--found->second == 0) under_way_.erase(found);
}

Result<cache::StoredResponsePtr> SimTier::take(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  if (scheduler_.chance(profile_.corrupt_probability)) {
    entries_.erase(found);
    return nullptr;
  }
  const auto& [whole, generation] = found->second;
  if (whole->body.size() <= profile_.whole_body_bytes_max) return whole;
  auto without_body = std::make_shared<cache::StoredResponse>(*whole);
  without_body->body = {};
  without_body->on_disk = true;
  without_body->generation = generation;
  return without_body;
}

Result<SharedBytes> SimTier::piece(const cache::StoredResponse& entry, std::uint64_t index) {
  const auto found = entries_.find(entry.key);
  const bool gone = found == entries_.end() || found->second.generation != entry.generation;
  if (gone || scheduler_.chance(profile_.corrupt_probability)) {
    return fail(ErrorCode::corrupt, Blame::local, "the entry was replaced or damaged");
  }
  const auto& body = found->second.whole->body;
  const std::uint64_t offset = index * cache::kPieceBytes;
  if (offset >= body.size()) {
    return fail(ErrorCode::corrupt, Blame::local, "no such piece");
  }
  return body.slice(offset, cache::kPieceBytes);
}

}  // namespace revcache::sim
