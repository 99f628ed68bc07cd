#include "revocation/refresher.h"

#include <memory>
#include <utility>

#include "revocation/refresher_state.h"

namespace revcache::revocation {

Refresher::Refresher(Parts parts, Options options)
    : state_(std::make_shared<State>(parts, options)) {}

Refresher::~Refresher() { state_->close(); }

void Refresher::start(const std::vector<std::string>& configured_urls,
                      const std::vector<std::pair<std::string, std::string>>& records) {
  state_->start(configured_urls, records);
}

void Refresher::configure(Options options, const std::vector<std::string>& configured_urls) {
  state_->configure(options, configured_urls);
}

bool Refresher::learn(const std::string& url, const EvidenceDates& dates) {
  return state_->learn(url, dates);
}

bool Refresher::refresh_now(const std::string& url, Callback<RefreshReport> done) {
  return state_->refresh_now(url, std::move(done));
}

void Refresher::stop() { state_->stop(); }

std::vector<Refresher::UrlState> Refresher::states() const { return state_->states(); }

bool Refresher::knows(std::string_view url) const { return state_->knows(url); }

std::uint64_t Refresher::learn_refusals() const { return state_->learn_refusals(); }

}  // namespace revcache::revocation
