// Names of libuv and OpenSSL that headers of net/ mention, so that whoever includes them does not
// get all of <uv.h> and <openssl/ssl.h>.
#pragma once

// NOLINTBEGIN(readability-identifier-naming): theirs
struct uv_loop_s;
struct uv_poll_s;
struct ssl_ctx_st;  // SSL_CTX
// NOLINTEND(readability-identifier-naming)
