#include "commands/admin_client.h"

#include <nlohmann/json.hpp>

#include <ostream>
#include <utility>

#include "commands/elapsed_line.h"
#include "commands/terminal_text.h"
#include "config/command_line.h"
#include "config/secret_file.h"
#include "http/uri.h"

namespace revcache::commands {
namespace {

using Json = nlohmann::ordered_json;

// "http://host:port" of an --admin, or nullopt.
std::optional<std::string> base_of(const std::string& admin) {
  std::string storage;
  const auto uri = http::parse_absolute_form(admin, storage);
  if (!uri || uri->scheme != http::Scheme::http || uri->path != "/") return std::nullopt;
  return "http://" + std::string(uri->authority);
}

int exit_code_of(std::uint16_t status) {
  if (status == 400 || status == 413) return config::kExitUsage;
  return status < 500 ? config::kExitRefused : config::kExitUnreachable;
}

int refused(const HttpAnswer& got, const Json& answer, const Surroundings& surroundings) {
  std::string why = printable_member(answer, "error");
  if (why.empty()) why = "status " + std::to_string(got.status) + ", no answer of an admin port";
  surroundings.err << "revcache: " << why << '\n';
  if (got.status == 401) surroundings.err << "revcache: --token-file names a file with it\n";
  return exit_code_of(got.status);
}

}  // namespace

int call_admin(const config::AdminArguments& arguments, const Surroundings& surroundings,
               std::string_view path, const Json* body, Json& answer) {
  const auto base = base_of(arguments.admin);
  if (!base || surroundings.http == nullptr) {
    surroundings.err << "revcache: --admin: write http://host:port; TLS is not spoken here\n";
    return config::kExitUsage;
  }
  HttpQuestion question;
  question.url = *base + std::string(path);
  question.body_bytes_max = kAdminAnswerBytesMax;
  question.timeout = path == "/api/v1/purge" ? kAdminPurgeTimeout : kAdminTimeout;
  if (body != nullptr) {
    question.post = body->dump(-1, ' ', true, Json::error_handler_t::replace);
    question.post_type = "application/json";
  }
  if (!arguments.token_file.empty()) {
    const auto token = config::read_secret_file(arguments.token_file);
    if (!token) {
      surroundings.err << "revcache: " << arguments.token_file << ' ' << token.error() << '\n';
      return config::kExitUsage;
    }
    question.authorization = "Bearer " + *token;
  }
  const auto got = [&] {
    const bool may_take_long = surroundings.progress && body != nullptr;
    const ElapsedLine waiting(may_take_long ? &surroundings.err : nullptr, "waiting for " + *base);
    return surroundings.http->ask(question);
  }();
  if (!got) {
    surroundings.err << "revcache: " << *base
                     << " cannot be reached: " << printable(got.error().detail)
                     << "\nrevcache: is revcache serve running? --admin names another address\n";
    return config::kExitUnreachable;
  }
  answer = Json::parse(got->body.text(), nullptr, false);
  if (got->status != 200 || !answer.is_object()) return refused(*got, answer, surroundings);
  if (arguments.json) {
    surroundings.out << answer.dump(2, ' ', true, Json::error_handler_t::replace) << '\n';
  }
  return config::kExitOk;
}

std::string printable_member(const Json& json, const char* name) {
  if (!json.is_object()) return {};
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return {};
  return printable(found->get_ref<const std::string&>());
}

}  // namespace revcache::commands
