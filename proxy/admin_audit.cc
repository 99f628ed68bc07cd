#include "proxy/admin_audit.h"

#include "pki/asn1_time.h"

namespace revcache::proxy {

using Json = nlohmann::ordered_json;

Json audit_entry(std::string_view change, const std::string& authority, const std::string& by) {
  return {{"time", nullptr}, {"change", change}, {"authority", authority}, {"by", by}};
}

Result<void> enter_audit(revocation::StateStore& state, Json entry, WallTime now) {
  entry["time"] = pki::rfc3339(floor<std::chrono::seconds>(now));
  return state.append_audit(entry.dump(-1, ' ', false, Json::error_handler_t::replace), true);
}

}  // namespace revcache::proxy
