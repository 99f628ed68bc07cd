#include "config/reader.h"

#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"

namespace revcache::config {
namespace {

// Where a name is known although it is not known here; empty when nowhere.
std::string other_section_of(std::string_view name, const Schema& schema) {
  for (const Section& section : schema.sections) {
    for (const Key& key : section.table.keys) {
      if (key.name == name) return std::string(section.name);
    }
  }
  return {};
}

class DocumentReader {
 public:
  explicit DocumentReader(const Schema& schema) : schema_(schema) {}

  ReadOutcome read(const Value::Table& root) {
    for (const Value& entry : root.entries) read_top(entry);
    return std::move(outcome_);
  }

 private:
  void read_top(const Value& entry) {
    for (const Section& section : schema_.sections) {
      if (section.name == entry.key) {
        read_table(entry, section.table, entry.key, "table [" + entry.key + "]");
        return;
      }
    }
    for (const TableList& list : schema_.lists) {
      if (list.name == entry.key) {
        read_list(entry, list, entry.key);
        return;
      }
    }
    report_unknown_top(entry);
  }

  void read_table(const Value& value, const Table& target, const std::string& path,
                  const std::string& what) {
    outcome_.positions[path] = value.position;
    const auto* entries = value.as<Value::Table>();
    if (entries == nullptr) {
      outcome_.findings.add(value.position, path + ": expected the " + what + ", found " +
                                                std::string(type_name(value)));
      return;
    }
    for (const Value& entry : entries->entries) read_entry(entry, target, path);
  }

  void read_entry(const Value& entry, const Table& target, const std::string& path) {
    const std::string key_path = path + '.' + entry.key;
    for (const Key& key : target.keys) {
      if (key.name != entry.key) continue;
      outcome_.positions[key_path] = entry.position;
      Findings found;
      key.field.read(entry, found);
      for (const Finding& finding : found.all()) {
        outcome_.findings.add(finding.position, key_path + ": " + finding.message);
      }
      return;
    }
    for (const TableList& list : target.lists) {
      if (list.name != entry.key) continue;
      read_list(entry, list, key_path);
      return;
    }
    report_unknown(entry, target, path);
  }

  void read_list(const Value& entry, const TableList& list, const std::string& path) {
    const auto* items = entry.as<Value::Array>();
    if (items == nullptr) {
      outcome_.findings.add(entry.key_position,
                            path + ": there can be several of these: write [[" + path + "]]");
      return;
    }
    if (items->size() > kListItemsMax) {
      outcome_.findings.add(entry.key_position, path + ": too many of these");
      return;
    }
    for (std::size_t at = 0; at < items->size(); ++at) {
      read_table((*items)[at], list.append(), path + '[' + std::to_string(at) + ']',
                 "table [[" + path + "]]");
    }
  }

  void report_unknown_top(const Value& entry) {
    std::vector<std::string_view> names;
    names.reserve(schema_.sections.size() + schema_.lists.size());
    for (const Section& section : schema_.sections) names.push_back(section.name);
    for (const TableList& list : schema_.lists) names.push_back(list.name);
    const bool is_table = entry.as<Value::Table>() != nullptr;
    const std::string section = is_table ? std::string() : other_section_of(entry.key, schema_);
    std::string message = is_table ? "unknown table [" + entry.key + "]"
                                   : "unknown key \"" + entry.key + "\" outside of any table";
    add_unknown(entry, std::move(message), closest(entry.key, names), section);
  }

  void report_unknown(const Value& entry, const Table& target, const std::string& path) {
    std::vector<std::string_view> names;
    names.reserve(target.keys.size() + target.lists.size());
    for (const Key& key : target.keys) names.push_back(key.name);
    for (const TableList& list : target.lists) names.push_back(list.name);
    add_unknown(entry, "unknown key \"" + entry.key + "\" in " + path, closest(entry.key, names),
                other_section_of(entry.key, schema_));
  }

  // The exact name in another section is a better guess than a similar one here.
  void add_unknown(const Value& entry, std::string message, std::string_view meant,
                   const std::string& section) {
    if (!section.empty()) {
      message += "; it belongs into [" + section + "]";
    } else if (!meant.empty()) {
      message += "; did you mean \"" + std::string(meant) + "\"?";
    }
    outcome_.findings.add(entry.key_position, std::move(message));
  }

  const Schema& schema_;
  ReadOutcome outcome_;
};

}  // namespace

ReadOutcome read_document(const Value& root, const Schema& schema) {
  const auto* table = root.as<Value::Table>();
  CHECK(table != nullptr);
  return DocumentReader(schema).read(*table);
}

Findings read_override(const std::string& path, const Value& value, const Schema& schema) {
  Findings findings;
  const std::size_t dot = path.find('.');
  CHECK(dot != std::string::npos);
  const std::string_view section_name = std::string_view(path).substr(0, dot);
  const std::string_view key_name = std::string_view(path).substr(dot + 1);
  for (const Section& section : schema.sections) {
    if (section.name != section_name) continue;
    for (const Key& key : section.table.keys) {
      if (key.name != key_name) continue;
      key.field.read(value, findings);
      return findings;
    }
  }
  check_failed("the key of an override is in the schema", __FILE__, __LINE__);
}

}  // namespace revcache::config
