#include "http/field_reader.h"

#include "base/check.h"

namespace revcache::http {

llhttp_t llhttp_after(std::string_view text, const llhttp_settings_t& settings) noexcept {
  const llhttp_settings_t quiet{};
  llhttp_t llhttp{};
  llhttp_init(&llhttp, HTTP_REQUEST, &quiet);
  CHECK(llhttp_execute(&llhttp, text.data(), text.size()) == HPE_OK);
  // llhttp does not change its settings; its C interface has no const.
  llhttp.settings = const_cast<llhttp_settings_t*>(&settings);
  return llhttp;
}

FieldReader& FieldReader::of(llhttp_t* parser) noexcept {
  return *static_cast<FieldReader*>(parser->data);
}

const llhttp_settings_t& FieldReader::settings() noexcept {
  static const llhttp_settings_t callbacks = [] {
    llhttp_settings_t settings{};
    settings.on_header_field = [](llhttp_t* parser, const char* at, std::size_t size) noexcept {
      FieldReader& self = of(parser);
      self.section_.add_name(self.offset_ + static_cast<std::size_t>(at - self.piece_), size);
      return 0;
    };
    settings.on_header_value = [](llhttp_t* parser, const char* at, std::size_t size) noexcept {
      FieldReader& self = of(parser);
      self.section_.add_value(self.offset_ + static_cast<std::size_t>(at - self.piece_), size);
      return 0;
    };
    settings.on_headers_complete = [](llhttp_t*) noexcept { return static_cast<int>(HPE_PAUSED); };
    return settings;
  }();
  return callbacks;
}

void FieldReader::begin() noexcept {
  static const llhttp_t after_start_line = llhttp_after("POST / HTTP/1.1\r\n", settings());
  llhttp_ = after_start_line;
  llhttp_.data = this;
  section_.clear();
  fault_ = {};
  offset_ = 0;
}

Progress FieldReader::read(std::string_view piece, std::size_t& consumed) noexcept {
  piece_ = piece.data();
  consumed = piece.size();
  const llhttp_errno_t outcome = llhttp_execute(&llhttp_, piece.data(), piece.size());
  offset_ += piece.size();
  if (outcome == HPE_OK) return Progress::need_more;
  if (outcome == HPE_PAUSED) {
    consumed = static_cast<std::size_t>(llhttp_get_error_pos(&llhttp_) - piece.data());
    return Progress::complete;
  }
  fault_ = {Refusal::bad_request, llhttp_get_error_reason(&llhttp_)};
  return Progress::refused;
}

Progress FieldReader::resolve(std::string_view text) {
  fault_ = section_.resolve(text);
  return fault_.is_set() ? Progress::refused : Progress::complete;
}

}  // namespace revcache::http
