// Paths that we answer ourselves (SPEC section 4): /proxy.pac, /wpad.dat, /ca/<authority>.cer,
// /crl/<authority>.crl.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "config/config.h"
#include "http/uri.h"
#include "proxy/error_reply.h"
#include "proxy/settings.h"

namespace revcache::proxy {

// A reply made here, or the URI whose object is asked for through the cache.
using OwnAnswer = std::variant<TextReply, http::Uri>;

// `path`: path and query of the request; `own_host`: how the client named us (Host), or empty.
OwnAnswer answer_own_path(const Settings& settings, std::string_view path,
                          std::string_view own_host);

}  // namespace revcache::proxy
