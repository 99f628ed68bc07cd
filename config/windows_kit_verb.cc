#include "config/windows_kit_verb.h"

namespace revcache::config {

WindowsKitVerb::WindowsKitVerb(CLI::App& app) {
  verb_ = app.add_subcommand("windows-kit", "Write what the administrator of Windows servers runs");
  verb_->add_option("--out", arguments_.directory, "Where the kit goes; an older one is replaced")
      ->required()
      ->type_name("DIR");
  verb_->add_option("-c,--config", file_, "Configuration file (TOML)")->type_name("FILE");
  verb_
      ->add_option("--url", arguments_.url,
                   "How the servers reach this instance: http://host:port; without it the first "
                   "of listen.names")
      ->type_name("URL");
  verb_
      ->add_option("--authority", arguments_.authorities,
                   "Only this [[authority]] of those with a signer; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
}

}  // namespace revcache::config
