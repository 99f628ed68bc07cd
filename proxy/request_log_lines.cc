#include "proxy/request_log_lines.h"

namespace revcache::proxy {

void RequestLogLines::record(const FinishedRequest& request) {
  if (!wants(request.record)) return;
  log_.write({.time = clock_.wall(),
              .now = clock_.monotonic(),
              .client = request.client,
              .method = request.record.method_text.empty() ? to_string(request.record.method)
                                                           : request.record.method_text,
              .url = request.record.target,
              .status = request.status,
              .bytes = request.body_bytes,
              .duration = request.duration,
              .kind = request.record.kind,
              .result = request.record.result,
              .cache_status = request.record.cache_status,
              .error = request.record.detail});
}

}  // namespace revcache::proxy
