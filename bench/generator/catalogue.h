// What is asked for and what came back: the text of each request as CryptoAPI writes it, and the
// bytes that each answer must have. Memory: 8 bytes for each serial or copy whose body must not
// change, kVersionsMax versions for each object that may. One owner, one thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/generator/random.h"
#include "bench/generator/response_parser.h"
#include "bench/generator/scenario.h"
#include "bench/generator/zipf.h"

namespace revcache::bench {

struct Address {
  std::string host;
  std::uint16_t port = 80;
  bool operator==(const Address&) const = default;
};

// Where requests go.
struct Route {
  std::optional<Address> proxy{};
  std::string responder{};  // a URL; "" where objects name their own
};

// "http://host:port[/]"; the message says what is wrong.
std::expected<Address, std::string> parse_proxy(std::string_view url);

// One body of an object, with the validators that came with it.
struct Version {
  std::string etag{};
  std::string last_modified{};
  std::uint64_t body_hash = 0;
  std::uint64_t seen = 0;
  std::string file{};  // of the scenario's `bodies`
};

inline constexpr std::size_t kVersionsMax = 256;
inline constexpr std::uint32_t kNoVersion = UINT32_MAX;

struct Wanted {
  std::size_t object = 0;
  std::uint64_t variant = 0;  // which serial or copy
  Method method = Method::get;
  Form form = Form::cold;
  Connections connection = Connections::kept;
  std::uint32_t version = kNoVersion;  // what the client has; for revalidation
};

class Catalogue {
 public:
  // Fails when a file cannot be read or used.
  static std::expected<Catalogue, std::string> open(const Scenario& scenario, const Route& route);

  // A serial or copy of an object.
  [[nodiscard]] std::uint64_t draw(std::size_t object, Random& random) const;
  // To whom this is sent.
  [[nodiscard]] const Address& address_of(std::size_t object) const;
  void write_request(const Wanted& wanted, std::string& out) const;
  // The newest version that has come; kNoVersion before the first, and for serials and copies.
  [[nodiscard]] std::uint32_t newest(std::size_t object) const;

  struct Verdict {
    bool right = false;
    std::uint32_t version = kNoVersion;
  };
  // Of a complete answer 200; remembers its body and validators.
  Verdict check(std::size_t object, std::uint64_t variant, const Answer& answer);

  [[nodiscard]] const std::vector<Version>& versions(std::size_t object) const {
    return entries_[object].versions;
  }
  [[nodiscard]] bool is_ocsp(std::size_t object) const {
    return !entries_[object].question.empty();
  }

 private:
  struct Entry {
    const Object* object = nullptr;
    Address address;
    bool absolute_form = false;
    std::string url;            // "http://host[:port]/path", {n} still in it
    std::string host;           // as Host says it
    std::string question;       // DER
    std::size_t serial_at = 0;  // where the counter of 4 octets lies in it
    std::uint32_t serial_first = 0;
    std::optional<Zipf> zipf;
    std::uint64_t variants = 1;
    std::vector<std::uint64_t> bodies;  // for each variant the hash of its body, 0: not yet seen
    std::vector<Version> versions;
    std::uint32_t newest = kNoVersion;
  };

  static std::expected<Entry, std::string> open_entry(const Object& object, const Route& route);
  static std::string read_question(const Object& object, Entry& entry);
  static std::string read_bodies(const Object& object, Entry& entry);
  static std::string question_of(const Entry& entry, std::uint64_t variant);
  static std::string target_of(const Entry& entry, const Wanted& wanted, std::string_view question);

  std::vector<Entry> entries_;
};

}  // namespace revcache::bench
