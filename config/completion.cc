#include "config/completion.h"

#include <algorithm>
#include <map>
#include <vector>

namespace revcache::config {
namespace {

// What the script knows about one verb, " config check" for nested ones, "" for the top.
struct VerbWords {
  std::string path;
  std::vector<std::string> words;  // verbs below, flags, and fixed words of its argument
};

struct Grammar {
  std::vector<VerbWords> verbs;
  std::map<std::string, std::string> value_types;  // "--data" → "DIR"
};

std::vector<std::string> alternatives(std::string type) {
  std::vector<std::string> words;
  std::size_t cut = 0;
  while ((cut = type.find('|')) != std::string::npos) {
    words.push_back(type.substr(0, cut));
    type.erase(0, cut + 1);
  }
  if (!words.empty()) words.push_back(type);
  return words;
}

void add_option(const CLI::Option& option, VerbWords& verb, Grammar& grammar) {
  const std::string type = option.get_type_name();
  if (option.get_positional()) {
    std::ranges::copy(alternatives(type), std::back_inserter(verb.words));
  }
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back('-' + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  for (const std::string& name : names) {
    verb.words.push_back(name);
    if (option.get_expected_max() > 0 && !type.empty()) grammar.value_types[name] = type;
  }
}

void add_verb(const CLI::App& app, const std::string& path, Grammar& grammar) {
  VerbWords verb{path, {}};
  for (const CLI::App* below : app.get_subcommands([](const CLI::App*) { return true; })) {
    verb.words.push_back(below->get_name());
  }
  for (const CLI::Option* option : app.get_options()) add_option(*option, verb, grammar);
  grammar.verbs.push_back(std::move(verb));
  for (const CLI::App* below : app.get_subcommands([](const CLI::App*) { return true; })) {
    add_verb(*below, path + ' ' + below->get_name(), grammar);
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// What differs between the shells.
struct Dialect {
  const char* head;
  const char* previous_word;
  const char* files;
  const char* directories;
  const char* words_begin;
  const char* words_end;
  const char* tail;
};

constexpr Dialect kBash{
    R"(# bash completion for revcache
_revcache() {
  local place="" word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
)",
    R"("${COMP_WORDS[COMP_CWORD - 1]}")",
    R"(mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))",
    R"(mapfile -t COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]}"))",
    R"(mapfile -t COMPREPLY < <(compgen -W ")",
    R"(" -- "${COMP_WORDS[COMP_CWORD]}"))",
    "complete -o default -F _revcache revcache\n"};

constexpr Dialect kZsh{
    R"(#compdef revcache
_revcache() {
  local place="" word
  for word in "${(@)words[2,CURRENT-1]}"; do
)",
    R"("${words[CURRENT-1]}")",
    "_files",
    "_files -/",
    "compadd -- ",
    "",
    R"(# As an autoloaded file it is called at once; sourced, it is only registered.
if [[ "${funcstack[1]}" == "_revcache" ]]; then
  _revcache "$@"
else
  compdef _revcache revcache
fi
)"};

std::string value_cases(const Grammar& grammar, const Dialect& dialect) {
  std::string out;
  for (const auto& [name, type] : grammar.value_types) {
    out += "    " + name + ") ";
    const auto words = alternatives(type);
    if (!words.empty()) {
      out += dialect.words_begin + joined(words) + dialect.words_end + std::string("; ");
    } else if (type == "FILE" || type == "DIR") {
      out += std::string(type == "FILE" ? dialect.files : dialect.directories) + "; ";
    }
    out += "return ;;\n";
  }
  return out;
}

}  // namespace

std::string completion_script(const CLI::App& app, std::string_view shell) {
  const Dialect& dialect = shell == "zsh" ? kZsh : kBash;
  Grammar grammar;
  add_verb(app, "", grammar);
  std::string out = dialect.head;
  out += "    case \"$place $word\" in\n";
  for (const VerbWords& verb : grammar.verbs) {
    if (!verb.path.empty()) out += "      \"" + verb.path + "\") place=\"" + verb.path + "\" ;;\n";
  }
  out += "    esac\n  done\n";
  out += std::string("  case ") + dialect.previous_word + " in\n";
  out += value_cases(grammar, dialect);
  out += "  esac\n  case \"$place\" in\n";
  for (const VerbWords& verb : grammar.verbs) {
    out += "    \"" + verb.path + "\") " + dialect.words_begin + joined(verb.words) +
           dialect.words_end + " ;;\n";
  }
  return out + "  esac\n}\n" + dialect.tail;
}

}  // namespace revcache::config
