// POST /api/v1/check: what its body asks for, and its answer. Pure.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "admin/answer.h"
#include "admin/operations.h"

namespace revcache::admin {

inline constexpr std::size_t kCheckBodyBytesMax = std::size_t{256} * 1024;
inline constexpr std::size_t kCheckCertificatesMax = 64;

// {"chain": base64 of PEM, DER or PKCS#7, leaf first; "profile": "nps" or "rfc5280"}. The refusal
// says what is wrong and where. Up to some milliseconds: pool threads.
std::expected<CheckQuestion, Answer> read_check_question(std::string_view body);

// `json`: the diagnosis, as `revcache check --json` writes it.
Answer check_answer(Done<std::string> json);

}  // namespace revcache::admin
