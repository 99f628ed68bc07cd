#include "proxy/revocation_parts.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "cache/tier.h"
#include "revocation/object_form.h"
#include "revocation/unreadable_state.h"

namespace revcache::proxy {

namespace {

using revocation::Evidence;
using revocation::Issuer;

Evidence::Options evidence_options(const config::Config& config, std::uint64_t hash_seed) {
  return {.bytes_max = config.limits.evidence_bytes,
          .issuers_max = config.limits.issuers,
          .signatures = {},
          .hash_seed = hash_seed};
}

// The whole body of a stored response, also of one that is read in pieces. Blocks.
Result<SharedBytes> whole_body(const cache::StoredResponse& stored, cache::DiskStore& disk) {
  if (!stored.on_disk) return stored.body;
  std::string body;
  body.reserve(stored.body_bytes);
  for (std::uint64_t index = 0; body.size() < stored.body_bytes; ++index) {
    auto piece = disk.read_piece(stored, index);
    if (!piece) return piece;
    body += piece->text();
  }
  return SharedBytes::take(std::move(body));
}

bool has_usable_crl(const Issuer& issuer, WallTime now) {
  return std::ranges::any_of(issuer.crls,
                             [now](const auto& held) { return now < held.usable_until; });
}

}  // namespace

std::string serial_octets(std::string_view hex) {
  std::string octets;
  for (; hex.size() >= 2; hex.remove_prefix(2)) {
    std::uint8_t octet = 0;
    std::from_chars(hex.data(), hex.data() + 2, octet, 16);
    octets += static_cast<char>(octet);
  }
  return std::string(as_text(pki::significant_octets(as_bytes(octets))));
}

std::vector<revocation::TrustedAuthority> trusted_authorities(const Settings& settings) {
  std::vector<revocation::TrustedAuthority> authorities;
  authorities.reserve(settings.config->authorities.size());
  for (const config::Authority& authority : settings.config->authorities) {
    revocation::TrustedAuthority trusted{
        .name = authority.name,
        .certificate = settings.authority_certificates.at(authority.name),
        .crl_urls = {},
        .grace = authority.grace};
    for (const http::Uri& url : authority.crls) trusted.crl_urls.push_back(url.text());
    for (const config::ManualRevocation& revoked : authority.revoke) {
      trusted.declared.push_back(
          {.serial = serial_octets(revoked.serial),
           .reason = pki::crl_reason(revoked.reason).value_or(pki::CrlReason::unspecified)});
    }
    authorities.push_back(std::move(trusted));
  }
  return authorities;
}

RevocationParts::RevocationParts(const config::Config& config, std::uint64_t hash_seed,
                                 const Clock& clock, metrics::Log& log)
    : clock_(clock),
      log_(log),
      state_(open_state(config.state.directory)),
      clock_guard_(*state_, clock),
      evidence_({*state_, clock_guard_, counters_, log}, evidence_options(config, hash_seed)) {
  evidence_.on_change([this](const revocation::SnapshotPtr& made) { publisher_.publish(made); });
  evidence_.on_learned([this](const std::string& url, const revocation::EvidenceDates& dates) {
    learned_.with([&](const auto& learned) {
      if (learned) learned(url, dates);
    });
  });
  if (auto loaded = clock_guard_.load(); !loaded && state_error_.empty()) {
    state_error_ = loaded.error().detail;
  }
}

std::unique_ptr<revocation::StateStore> RevocationParts::open_state(const std::string& directory) {
  auto opened = revocation::StateStore::open({.directory = directory}, log_);
  if (opened) return std::move(*opened);
  state_error_ = opened.error().detail;
  log_.error("the state cannot be read: nothing is evidence until it can",
             {{"directory", directory}, {"error", state_error_}});
  return std::make_unique<revocation::UnreadableState>(std::move(opened).error());
}

Result<void> RevocationParts::apply(const Settings& settings) {
  if (!state_error_.empty()) return {};
  return evidence_.set_authorities(trusted_authorities(settings), clock_guard_.wall());
}

void RevocationParts::restore(const Settings& settings, cache::DiskStore* disk) {
  auto records = state_->refresh_records();
  if (records) refresh_records_ = std::move(*records);
  std::set<std::string> urls;
  for (const auto& [url, record] : refresh_records_) urls.insert(url);
  evidence_.pin({urls.begin(), urls.end()});
  for (const auto& url : settings.config->refresh.urls) urls.insert(url.text());
  for (const auto& authority : settings.config->authorities) {
    for (const auto& url : authority.crls) urls.insert(url.text());
  }
  if (disk == nullptr || !state_error_.empty()) return;
  for (const std::string& url : urls) restore_url(url, *disk);
}

void RevocationParts::restore_url(const std::string& url, cache::DiskStore& disk) {
  const auto stored = disk.read(url);
  if (!stored || *stored == nullptr || (*stored)->status != 200) return;
  const ObjectKind kind = (*stored)->kind;
  if (kind != ObjectKind::crl && kind != ObjectKind::delta_crl) return;
  auto body = whole_body(**stored, disk);
  if (!body) return;
  cache::AdmissionRequest request;
  request.kind = kind;
  request.url = url;
  request.body = *std::move(body);
  request.now = clock_.wall();
  if (const auto judged = evidence_.consider(request); !judged) {
    log_.warning("what is in the cache is no evidence",
                 {{"url", url}, {"reason", judged.error().detail}});
  }
}

void RevocationParts::on_learned(
    std::function<void(const std::string&, const revocation::EvidenceDates&)> learned) {
  learned_.with([&](auto& current) { current = std::move(learned); });
}

void RevocationParts::detach() {
  on_learned(nullptr);
  publisher_.clear();
}

void RevocationParts::sample_clock() {
  if (auto sampled = clock_guard_.sample(); !sampled) {
    log_.error("the clock's bound was not written", {{"error", sampled.error().detail}});
  }
}

std::size_t RevocationParts::loops_behind(std::chrono::milliseconds wait_max) {
  evidence_.wait_until_published();
  return publisher_.wait_until_received(wait_max);
}

std::vector<std::string> RevocationParts::not_ready(const config::Config& config) const {
  std::vector<std::string> missing;
  if (!state_error_.empty()) missing.push_back("state: " + state_error_);
  if (clock_guard_.is_behind()) missing.emplace_back("the clock is behind what has been seen");
  const auto known = evidence_.snapshot();
  for (const config::Authority& authority : config.authorities) {
    if (!authority.required || authority.crls.empty()) continue;
    const auto issuer = std::ranges::find_if(known->issuers(), [&](const Issuer& other) {
      return other.is_authority && other.authority == authority.name;
    });
    if (issuer == known->issuers().end() || !has_usable_crl(*issuer, clock_.wall())) {
      missing.push_back("authority " + authority.name + ": no usable CRL");
    }
  }
  return missing;
}

}  // namespace revcache::proxy
