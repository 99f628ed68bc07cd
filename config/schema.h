// Every key of the configuration, once: its name, what it means, how it is read and written. The
// same table loads a file, finds misspelt keys, and prints `config show` and `config default`.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/field.h"

namespace revcache::config {

struct Key {
  std::string_view name;
  std::string_view comment;  // one or more lines, in full sentences or fragments
  Field field;
};

struct Table;

// [[name]]: any number of tables.
struct TableList {
  std::string_view name;
  std::string_view comment;
  std::function<Table()> append;            // a new element with its defaults
  std::function<std::vector<Table>()> all;  // the elements there are
};

struct Table {
  std::vector<Key> keys;
  std::vector<TableList> lists;
};

// [name]
struct Section {
  std::string_view name;
  std::string_view comment;
  Table table;
};

struct Schema {
  std::vector<Section> sections;
  std::vector<TableList> lists;
};

// Bound to `config`, which must outlive it; tables of list elements live until their list grows.
// Relative paths are relative to `base_directory`.
Schema schema_of(Config& config, const std::string& base_directory);

// The keys of [limits], in a file of their own.
std::vector<Key> limit_keys(Config& config);

}  // namespace revcache::config
