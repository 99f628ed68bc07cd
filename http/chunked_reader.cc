#include <algorithm>
#include <limits>

#include "base/check.h"
#include "http/field_reader.h"

namespace revcache::http {
namespace {

// What framing may cost beyond the data it carries: a stream of one-octet chunks with long
// extensions is refused before it has cost much.
constexpr std::size_t kOverheadBytesMax = 16 * 1024;
constexpr std::size_t kFreeLineBytes = 16;

constexpr std::uint64_t bits(std::initializer_list<FieldId> ids) noexcept {
  std::uint64_t mask = 0;
  for (const FieldId id : ids) mask |= FieldsView::bit(id);
  return mask;
}

// RFC 9110 6.5.1: framing, routing and content format cannot come after the content.
constexpr std::uint64_t kNeverInTrailers =
    bits({FieldId::connection, FieldId::content_encoding, FieldId::content_length,
          FieldId::content_range, FieldId::content_type, FieldId::expect, FieldId::host,
          FieldId::proxy_connection, FieldId::te, FieldId::trailer, FieldId::transfer_encoding,
          FieldId::upgrade});

}  // namespace

ChunkedReader::ChunkedReader(const ParserLimits& limits)
    : limits_(limits), section_(limits.fields_max) {}

ChunkedReader& ChunkedReader::of(llhttp_t* parser) noexcept {
  return *static_cast<ChunkedReader*>(parser->data);
}

const llhttp_settings_t& ChunkedReader::settings() noexcept {
  static const llhttp_settings_t callbacks = [] {
    llhttp_settings_t settings{};
    settings.on_chunk_header = [](llhttp_t*) noexcept { return static_cast<int>(HPE_PAUSED); };
    settings.on_message_complete = [](llhttp_t*) noexcept { return static_cast<int>(HPE_PAUSED); };
    settings.on_header_field = [](llhttp_t* parser, const char* at, std::size_t size) noexcept {
      ChunkedReader& self = of(parser);
      const auto offset = self.trailer_text_.size() + static_cast<std::size_t>(at - self.piece_);
      self.section_.add_name(offset, size);
      return 0;
    };
    settings.on_header_value = [](llhttp_t* parser, const char* at, std::size_t size) noexcept {
      ChunkedReader& self = of(parser);
      const auto offset = self.trailer_text_.size() + static_cast<std::size_t>(at - self.piece_);
      self.section_.add_value(offset, size);
      return 0;
    };
    return settings;
  }();
  return callbacks;
}

void ChunkedReader::begin() noexcept {
  static const llhttp_t before_first_chunk =
      llhttp_after("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", settings());
  llhttp_ = before_first_chunk;
  llhttp_.data = this;
  section_.clear();
  fault_ = {};
  trailer_text_.clear();
  remaining_ = 0;
  line_bytes_ = 0;
  overhead_bytes_ = 0;
  phase_ = Phase::line;
}

Step ChunkedReader::feed(std::string_view chunk) {
  std::size_t consumed = 0;
  while (phase_ == Phase::line) {
    std::size_t taken = 0;
    const Progress progress = read_line(chunk.substr(consumed), taken);
    consumed += taken;
    if (progress == Progress::refused) return {StepKind::malformed, consumed, {}};
    if (progress == Progress::need_more) return {StepKind::need_more, consumed, {}};
  }
  if (phase_ == Phase::data) return read_data(chunk, consumed);
  return read_trailers(chunk, consumed);
}

std::size_t ChunkedReader::execute(std::string_view piece) noexcept {
  piece_ = piece.data();
  paused_ = false;
  const llhttp_errno_t outcome = llhttp_execute(&llhttp_, piece.data(), piece.size());
  if (outcome == HPE_OK) return piece.size();
  const auto taken = static_cast<std::size_t>(llhttp_get_error_pos(&llhttp_) - piece.data());
  if (outcome == HPE_PAUSED) {
    paused_ = true;
    llhttp_resume(&llhttp_);
  } else {
    fault_ = {Refusal::bad_request, llhttp_get_error_reason(&llhttp_)};
  }
  return taken;
}

Progress ChunkedReader::read_line(std::string_view chunk, std::size_t& consumed) {
  if (chunk.empty()) return Progress::need_more;
  const std::string_view piece = chunk.substr(0, limits_.chunk_line_bytes_max - line_bytes_);
  consumed = execute(piece);
  line_bytes_ += consumed;
  if (fault_.is_set()) return Progress::refused;
  if (paused_) return begin_chunk() ? Progress::complete : Progress::refused;
  if (line_bytes_ < limits_.chunk_line_bytes_max) return Progress::need_more;
  fault_ = {Refusal::bad_request, "a chunk line that is too long"};
  return Progress::refused;
}

bool ChunkedReader::begin_chunk() {
  remaining_ = llhttp_.content_length;
  if (remaining_ > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    fault_ = {Refusal::bad_request, "a chunk size that is too large"};
    return false;
  }
  const std::size_t paid =
      kFreeLineBytes + static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, 1U << 20U));
  overhead_bytes_ += line_bytes_;
  overhead_bytes_ -= std::min(overhead_bytes_, paid);
  if (overhead_bytes_ > kOverheadBytesMax) {
    fault_ = {Refusal::bad_request, "more chunk framing than data"};
    return false;
  }
  line_bytes_ = 0;
  phase_ = remaining_ == 0 ? Phase::trailers : Phase::data;
  return true;
}

Step ChunkedReader::read_data(std::string_view chunk, std::size_t consumed) {
  const std::string_view piece = chunk.substr(
      consumed, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, chunk.size())));
  if (piece.empty()) return {StepKind::need_more, consumed, {}};
  const std::size_t taken = execute(piece);
  if (fault_.is_set()) return {StepKind::malformed, consumed, {}};
  CHECK(taken == piece.size() && !paused_);
  remaining_ -= taken;
  if (remaining_ == 0) phase_ = Phase::line;
  return {StepKind::body, consumed + taken, piece};
}

Step ChunkedReader::read_trailers(std::string_view chunk, std::size_t consumed) {
  const std::string_view piece =
      chunk.substr(consumed, limits_.trailer_bytes_max - trailer_text_.size());
  if (piece.empty()) return {StepKind::need_more, consumed, {}};
  const std::size_t taken = execute(piece);
  consumed += taken;
  if (fault_.is_set()) return {StepKind::malformed, consumed, {}};
  trailer_text_.append(piece.substr(0, taken));
  if (paused_) {
    check_trailers();
    return {fault_.is_set() ? StepKind::malformed : StepKind::end, consumed, {}};
  }
  if (trailer_text_.size() == limits_.trailer_bytes_max) {
    fault_ = {Refusal::header_too_large, "a trailer section that is too long"};
    return {StepKind::malformed, consumed, {}};
  }
  return {StepKind::need_more, consumed, {}};
}

void ChunkedReader::check_trailers() {
  fault_ = section_.resolve(trailer_text_);
  if (!fault_.is_set() && section_.view().has_any(kNeverInTrailers)) {
    fault_ = {Refusal::bad_request, "a framing field in the trailers"};
  }
}

void ChunkedReader::release_memory() {
  section_.release_memory();
  trailer_text_.clear();
  trailer_text_.shrink_to_fit();
}

}  // namespace revcache::http
