#include "http/head_reader.h"

namespace revcache::http {

void HeadReader::begin() noexcept {
  fields_.begin();
  fault_ = {};
  gathered_.clear();
  in_place_ = nullptr;
  size_ = 0;
  line_size_ = 0;
  is_gathered_ = false;
}

HeadReader::Event HeadReader::read(std::string_view chunk, std::size_t& consumed) {
  consumed = 0;
  const std::string_view piece = chunk.substr(0, limits_.header_bytes_max - size_);
  if (piece.empty()) return need_more();
  return line_size_ == 0 ? read_start_line(piece, consumed) : read_fields(piece, consumed);
}

HeadReader::Event HeadReader::read_start_line(std::string_view piece, std::size_t& consumed) {
  const std::size_t line_feed = piece.find('\n');
  consumed = line_feed == std::string_view::npos ? piece.size() : line_feed + 1;
  take(piece.substr(0, consumed));
  if (line_feed == std::string_view::npos) return need_more();
  if (!text().ends_with("\r\n")) {
    fault_ = {Refusal::bad_request, "a start line that does not end with CRLF"};
    return Event::refused;
  }
  line_size_ = size_;
  return Event::start_line;
}

HeadReader::Event HeadReader::read_fields(std::string_view piece, std::size_t& consumed) {
  Progress progress = fields_.read(piece, consumed);
  if (progress == Progress::need_more) {
    take(piece);
    return need_more();
  }
  if (progress == Progress::complete) {
    take(piece.substr(0, consumed));
    progress = fields_.resolve(text().substr(line_size_));
  }
  if (progress == Progress::complete) return Event::complete;
  fault_ = fields_.fault();
  return Event::refused;
}

// The chunk is about to go away: what it holds of the head is kept.
HeadReader::Event HeadReader::need_more() {
  if (size_ >= limits_.header_bytes_max) {
    fault_ = {Refusal::header_too_large, "a head that is too long"};
    return Event::refused;
  }
  if (!is_gathered_ && size_ > 0) {
    gathered_.assign(in_place_, size_);
    is_gathered_ = true;
  }
  return Event::need_more;
}

void HeadReader::take(std::string_view piece) {
  if (is_gathered_) {
    gathered_.append(piece);
  } else if (size_ == 0) {
    in_place_ = piece.data();
  }
  size_ += piece.size();
}

std::string_view HeadReader::start_line() const noexcept {
  return text().substr(0, line_size_ - 2);
}

std::string_view HeadReader::text() const noexcept {
  return is_gathered_ ? std::string_view(gathered_) : std::string_view(in_place_, size_);
}

void HeadReader::release_memory() {
  begin();
  gathered_.shrink_to_fit();
  fields_.release_memory();
}

}  // namespace revcache::http
