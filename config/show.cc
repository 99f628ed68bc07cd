#include "config/show.h"

#include <toml++/toml.h>

#include <chrono>
#include <sstream>
#include <string_view>

#include "base/check.h"
#include "config/patterns.h"
#include "config/schema.h"

namespace revcache::config {
namespace {

// "a\nb" → "# a\n# b\n"
std::string commented(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    out += line.empty() ? "#\n" : "# " + std::string(line) + '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

class Writer {
 public:
  Writer(Secrets secrets, bool with_comments) : secrets_(secrets), with_comments_(with_comments) {}

  void write_keys(const std::vector<Key>& keys) {
    for (const Key& key : keys) {
      if (with_comments_) out_ += commented(key.comment);
      out_ += std::string(key.name) + " = " + key.field.write(secrets_) + '\n';
    }
  }

  void write_section(const Section& section) {
    out_ += '\n';
    if (with_comments_) out_ += commented(section.comment);
    out_ += '[' + std::string(section.name) + "]\n";
    write_keys(section.table.keys);
  }

  void write_list(const TableList& list, const std::string& path) {
    for (const Table& table : list.all()) {
      out_ += '\n';
      if (with_comments_) out_ += commented(list.comment);
      out_ += "[[" + path + "]]\n";
      write_keys(table.keys);
      for (const TableList& inner : table.lists) {
        write_list(inner, path + '.' + std::string(inner.name));
      }
    }
  }

  void write_text(std::string_view text) { out_ += text; }

  std::string take() { return std::move(out_); }

 private:
  Secrets secrets_;
  bool with_comments_;
  std::string out_;
};

// What a customer of Microsoft Cloud PKI would write.
Config example() {
  Config config;
  config.mirrors.push_back({{{"primary-cdn.pki.azure.net", 0}, {"backup-cdn.pki.azure.net", 0}}});
  config.signers.push_back({.name = "ocsp", .certificate = "ocsp.pem", .key = "ocsp.key"});
  const auto crl = parse_url("http://primary-cdn.pki.azure.net/example/crls/current.crl");
  CHECK(crl.has_value());
  Authority root;
  root.name = "contoso-cloud-root";
  root.certificate = "contoso-root.cer";
  root.crls = {*crl};
  root.signer = "ocsp";
  root.revoke.push_back({.serial = "0a1b2c", .reason = "keyCompromise"});
  Authority attested;
  attested.name = "contoso-other-root";
  attested.certificate = "contoso-other-root.cer";
  attested.required = false;
  attested.signer = "ocsp";
  attested.without_evidence = WithoutEvidence::attest;
  attested.attest.push_back(
      {.certificate = "contoso-issuing.cer",
       .until = std::chrono::sys_days(std::chrono::year(2027) / std::chrono::June / 1),
       .reason = "publishes no CDP; ticket 4711"});
  config.authorities = {std::move(root), std::move(attested)};
  return config;
}

}  // namespace

std::string effective_text(const Config& config) {
  Config copy = config;
  const Schema schema = schema_of(copy, "");
  Writer writer(Secrets::masked, false);
  writer.write_text("# effective settings of revcache, from ");
  writer.write_text(config.source.empty() ? "the built-in defaults" : config.source);
  writer.write_text("\n");
  for (const Section& section : schema.sections) writer.write_section(section);
  for (const TableList& list : schema.lists) writer.write_list(list, std::string(list.name));
  return writer.take();
}

std::string effective_json(const Config& config) {
  const std::string text = effective_text(config);
  const toml::table table = toml::parse(std::string_view(text), std::string_view("effective"));
  std::ostringstream out;
  out << toml::json_formatter(table, toml::format_flags::quote_dates_and_times);
  return std::move(out).str();
}

std::string default_text(const Config& config) {
  Config copy = config;
  Config shown = example();
  const Schema schema = schema_of(copy, "");
  const Schema examples = schema_of(shown, "");
  Writer writer(Secrets::masked, true);
  writer.write_text(
      "# Configuration of revcache. Every key is optional and stands here with its default; "
      "unknown\n"
      "# keys are errors. SIGHUP loads the file again; when it is not valid the old settings "
      "stay.\n"
      "# Durations: 250ms, 9s, 15m, 12h, 30d. Sizes: 64KiB, 256MiB, 8GiB, 10MB. Relative paths "
      "are\n"
      "# relative to this file.\n");
  for (const Section& section : schema.sections) writer.write_section(section);
  Writer list_writer(Secrets::masked, true);
  for (const TableList& list : examples.lists) {
    list_writer.write_list(list, std::string(list.name));
  }
  writer.write_text("\n# Examples of what there is none of by default:\n");
  writer.write_text(commented(list_writer.take()));
  return writer.take();
}

}  // namespace revcache::config
