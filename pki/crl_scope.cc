// Which certificates a CRL speaks of, and how a delta CRL joins a complete one (RFC 5280 sections
// 5.2.4, 5.2.5, 6.3.3).
#include <algorithm>
#include <cstddef>

#include "pki/crl.h"
#include "pki/der.h"

namespace revcache::pki {
namespace {

char folded(char letter) noexcept {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

// Octets of `url` up to the path: scheme and host, in which case does not count (7.4).
std::size_t authority_end(std::string_view url) noexcept {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return 0;
  return std::min(url.find('/', scheme + 3), url.size());
}

bool same_url(std::string_view left, std::string_view right) noexcept {
  const std::size_t end = authority_end(left);
  if (left.size() != right.size() || end != authority_end(right)) return false;
  return std::ranges::equal(left.substr(0, end), right.substr(0, end), {}, folded, folded) &&
         left.substr(end) == right.substr(end);
}

// 6.3.3 (b)(2)(i), for points that are for all reasons and of the certificate's own issuer.
bool names_point_of(const Certificate& certificate, const CrlScope& scope) {
  return std::ranges::any_of(
      certificate.crl_distribution_points, [&](const DistributionPoint& point) {
        if (point.has_reasons || point.has_crl_issuer) return false;
        return std::ranges::any_of(point.urls, [&](const std::string& url) {
          return std::ranges::any_of(
              scope.urls, [&](const std::string& named) { return same_url(url, named); });
        });
      });
}

bool is_partial(const CrlScope& scope) noexcept {
  return scope.indirect || scope.only_some_reasons;
}

}  // namespace

Coverage coverage(const CrlScope& scope, const Certificate& certificate) {
  const Coverage by_kind = coverage(scope, std::optional<bool>(certificate.is_ca));
  if (by_kind == Coverage::none || is_partial(scope) || !scope.has_distribution_point) {
    return by_kind;
  }
  return names_point_of(certificate, scope) ? Coverage::certain : Coverage::uncertain;
}

Coverage coverage(const CrlScope& scope, std::optional<bool> is_ca) {
  if (scope.only_attribute_certificates) return Coverage::none;
  if (is_ca.has_value() && (*is_ca ? scope.only_user_certificates : scope.only_ca_certificates)) {
    return Coverage::none;
  }
  const bool kind_unknown =
      !is_ca.has_value() && (scope.only_user_certificates || scope.only_ca_certificates);
  const bool whole = !kind_unknown && !scope.has_distribution_point && !is_partial(scope);
  return whole ? Coverage::certain : Coverage::uncertain;
}

int compare_numbers(ByteView left, ByteView right) noexcept {
  if (left.empty() || right.empty()) return int{!left.empty()} - int{!right.empty()};
  const ByteView a = significant_octets(left);
  const ByteView b = significant_octets(right);
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  const auto [in_a, in_b] = std::ranges::mismatch(a, b);
  if (in_a == a.end()) return 0;
  return *in_a < *in_b ? -1 : 1;
}

std::optional<Refused> may_combine(const VerifiedCrl& complete, const VerifiedCrl& delta) {
  const auto mismatch = [](std::string detail) {
    return Refused{Refusal::base_mismatch, std::move(detail)};
  };
  const ParsedCrl& base = complete.crl();
  const ParsedCrl& change = delta.crl();
  if (!equal(complete.issuer_key(), delta.issuer_key())) {
    return Refused{Refusal::scope_mismatch, "the delta CRL is signed with another key"};
  }
  if (!names_match(base.issuer, change.issuer)) {
    return Refused{Refusal::scope_mismatch, "the delta CRL is of another issuer"};
  }
  if (!equal(base.scope.extension, change.scope.extension)) {
    return Refused{Refusal::scope_mismatch, "the delta CRL has another issuing distribution point"};
  }
  if (base.is_delta()) return mismatch("the base is a delta CRL itself");
  if (!change.is_delta()) return mismatch("it is no delta CRL");
  if (base.number.empty() || change.number.empty()) {
    return mismatch("one of the CRLs has no number (5.2.3)");
  }
  if (compare_numbers(change.base_number, base.number) > 0) {
    return mismatch("the delta CRL starts from " + hex(change.base_number) +
                    ", the complete CRL is " + hex(base.number));
  }
  if (compare_numbers(base.number, change.number) >= 0) {
    return mismatch("the complete CRL " + hex(base.number) + " is as new as the delta CRL " +
                    hex(change.number));
  }
  return std::nullopt;
}

std::optional<RevokedEntry> find_combined(const VerifiedCrl& complete, const VerifiedCrl* delta,
                                          ByteView serial) noexcept {
  // In a complete CRL removeFromCRL has no business (5.3.1); it says the same there.
  auto entry = (delta == nullptr ? complete : *delta).crl().find(serial);
  if (!entry && delta != nullptr) entry = complete.crl().find(serial);
  if (entry && entry->reason == CrlReason::remove_from_crl) entry.reset();
  return entry;
}

}  // namespace revcache::pki
