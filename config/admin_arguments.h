// What the verbs that talk to a running instance are told on the command line.
#pragma once

#include <string>

namespace revcache::config {

// Each verb uses some of it, as it was written.
struct AdminArguments {
  std::string admin = "http://127.0.0.1:9853";
  std::string token_file;  // empty: no token is presented
  std::string authority;   // floor reset CA, --ca NAME, --authority NAME
  std::string serial;
  std::string reason = "unspecified";
  std::string note;
  std::string target;       // refresh: a URL, the name of an authority, or empty for everything
  std::string certificate;  // policy explain: a file
  bool all = false;         // purge --all
  bool dry_run = false;     // purge
  bool json = false;
  bool watch = false;  // status
};

}  // namespace revcache::config
