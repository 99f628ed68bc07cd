// Runs a parser over octets that arrive in given pieces, and writes down what it reports in one
// line, so that tables can state it and different ways to cut the input can be compared.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "http/parser.h"

namespace revcache::http {

// Each request as "METHOD target 1.1 keep|close framing{fields}", then " body=…", " end",
// " trailers{…}"; messages are separated by " | "; a refusal ends it: "! 400". A head that is not
// complete is "…".
std::string request_transcript(const std::vector<std::string>& pieces, const ParserLimits& limits,
                               HeadMemo* known = nullptr);

// The same for responses: "200 1.1 keep|close framing 'reason' {fields}"; " closed" after the peer
// closed where that ends the body, "! …" otherwise. `methods` are those of the requests.
std::string response_transcript(const std::vector<std::string>& pieces,
                                const std::vector<Method>& methods, const ParserLimits& limits);

// The text as one piece, one octet a piece, or cut at `at`.
std::vector<std::string> whole(std::string_view text);
std::vector<std::string> octets(std::string_view text);
std::vector<std::string> cut(std::string_view text, std::size_t at);

}  // namespace revcache::http
