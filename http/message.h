// HTTP messages as values (RFC 9110 section 6). Views (what the parser gives) and owning forms
// (what is stored) share one reading interface, FieldsView. Pure; no thread affinity.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace revcache::http {

enum class Method : std::uint8_t {
  get,
  head,
  post,
  put,
  delete_,
  options,
  connect,
  trace,
  patch,
  other
};
inline constexpr std::size_t kMethods = 10;

// "GET"; "other" for Method::other. Static storage.
std::string_view to_string(Method method) noexcept;
// Case-sensitive (RFC 9110 9.1).
Method method_from(std::string_view token) noexcept;
bool is_safe(Method method) noexcept;        // RFC 9110 9.2.1; other counts as unsafe
bool is_idempotent(Method method) noexcept;  // RFC 9110 9.2.2

struct Version {
  std::uint8_t major = 1;
  std::uint8_t minor = 1;
  friend auto operator<=>(const Version&, const Version&) = default;
};

// Field names that some rule looks at. At most 64: their presence is a bit mask.
enum class FieldId : std::uint8_t {
  other,
  accept,
  accept_encoding,
  age,
  allow,
  authorization,
  cache_control,
  cache_status,
  cdn_cache_control,
  cdn_loop,
  connection,
  content_encoding,
  content_length,
  content_location,
  content_range,
  content_type,
  date,
  etag,
  expect,
  expires,
  forwarded,
  from,
  host,
  http2_settings,
  if_match,
  if_modified_since,
  if_none_match,
  if_range,
  if_unmodified_since,
  keep_alive,
  last_modified,
  location,
  max_forwards,
  pragma,
  proxy_authenticate,
  proxy_authentication_info,
  proxy_authorization,
  proxy_connection,
  range,
  retry_after,
  server,
  set_cookie,
  te,
  trailer,
  transfer_encoding,
  upgrade,
  user_agent,
  vary,
  via,
  warning,
  www_authenticate,
  count_
};
static_assert(static_cast<unsigned>(FieldId::count_) <= 64);

// Case-insensitive; FieldId::other for any name not in the list.
FieldId field_id(std::string_view name) noexcept;
// Canonical spelling ("Cache-Control"); empty for other. Static storage.
std::string_view field_name(FieldId id) noexcept;

// ASCII case-insensitive equality.
bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;

// One field line. Views into memory of whoever gave it; value has no surrounding whitespace.
struct Field {
  std::string_view name;
  std::string_view value;
  FieldId id = FieldId::other;
};

// The field lines of a message in their order, not owned.
class FieldsView {
 public:
  FieldsView() = default;
  FieldsView(std::span<const Field> fields, std::uint64_t present) noexcept
      : fields_(fields), present_(present) {}

  [[nodiscard]] bool has(FieldId id) const noexcept { return (present_ & bit(id)) != 0; }
  // True if any of the ids in `mask` (an or of bit()) is there.
  [[nodiscard]] bool has_any(std::uint64_t mask) const noexcept { return (present_ & mask) != 0; }
  [[nodiscard]] std::uint64_t present() const noexcept { return present_; }
  // The first line's value.
  [[nodiscard]] std::optional<std::string_view> find(FieldId id) const noexcept;
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  [[nodiscard]] std::size_t count(FieldId id) const noexcept;
  // All lines of that name joined by ", " (RFC 9110 5.3); nullopt when there is none.
  [[nodiscard]] std::optional<std::string> combined(FieldId id) const;
  [[nodiscard]] std::optional<std::string> combined(std::string_view name) const;

  [[nodiscard]] auto begin() const noexcept { return fields_.begin(); }
  [[nodiscard]] auto end() const noexcept { return fields_.end(); }
  [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }
  [[nodiscard]] bool empty() const noexcept { return fields_.empty(); }

  static constexpr std::uint64_t bit(FieldId id) noexcept {
    return std::uint64_t{1} << static_cast<unsigned>(id);
  }

 private:
  std::span<const Field> fields_;
  std::uint64_t present_ = 0;
};

// The field lines of a message, owned. view() is valid until the next change or move.
class Fields {
 public:
  Fields() = default;
  explicit Fields(const FieldsView& from);
  Fields(const Fields& other);
  Fields& operator=(const Fields& other);
  Fields(Fields&&) noexcept = default;
  Fields& operator=(Fields&&) noexcept = default;
  ~Fields() = default;

  void add(std::string_view name, std::string_view value);  // appends a line; copies both
  void add(FieldId id, std::string_view value);             // canonical name; id is not other
  void set(FieldId id, std::string_view value);             // removes its lines, then adds one
  void remove(FieldId id);
  void remove(std::string_view name);  // case-insensitive
  void clear();

  [[nodiscard]] FieldsView view() const noexcept { return {fields_, present_}; }
  [[nodiscard]] bool has(FieldId id) const noexcept { return view().has(id); }
  [[nodiscard]] std::optional<std::string_view> find(FieldId id) const noexcept {
    return view().find(id);
  }
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept {
    return view().find(name);
  }
  [[nodiscard]] std::size_t text_bytes() const noexcept;  // names and values, for accounting

 private:
  std::string_view keep(std::string_view text);
  void recount();

  std::vector<Field> fields_;
  std::vector<std::unique_ptr<char[]>> text_;
  std::uint64_t present_ = 0;
};

// `none` also for Content-Length: 0.
enum class BodyFraming : std::uint8_t { none, length, chunked, until_close };

// A request's head as parsed: views into the parser's input, valid until its next feed().
struct RequestHead {
  Method method = Method::get;
  std::string_view method_text;
  std::string_view target;
  Version version;
  FieldsView fields;
  BodyFraming framing = BodyFraming::none;
  std::uint64_t content_length = 0;  // when framing is length
  bool keep_alive = true;            // by version, Connection and Proxy-Connection
  [[nodiscard]] bool has_body() const noexcept { return framing != BodyFraming::none; }
};

// A response's head, owned.
struct ResponseHead {
  Version version;
  std::uint16_t status = 200;
  std::string reason;
  Fields fields;
  BodyFraming framing = BodyFraming::none;
  std::uint64_t content_length = 0;  // when framing is length
  bool keep_alive = true;
};

}  // namespace revcache::http
