#include "config/signer_verbs.h"

namespace revcache::config {

SignerVerbs::SignerVerbs(CLI::App& app) {
  CLI::App* signer = app.add_subcommand("signer", "Keys that sign OCSP answers");
  signer->require_subcommand(1);
  new_ = signer->add_subcommand("new", "Make a key, and a certificate or a request for one");
  new_->add_option("--name", arguments_.name, "Name in the configuration and of the files")
      ->required()
      ->type_name("NAME");
  new_->add_flag("--csr", arguments_.csr,
                 "A request for a CA instead of a self-signed certificate");
  new_->add_option("--key-type", arguments_.key_type, "Kind of key")
      ->type_name("p256|rsa2048|rsa3072")
      ->check(CLI::IsMember({"p256", "rsa2048", "rsa3072"}).description(""))  // the type says it
      ->capture_default_str();
  new_->add_option("--days", arguments_.days, "Validity of a self-signed certificate")
      ->type_name("DAYS")
      ->check(CLI::Range(std::int64_t{1}, kSignerDaysMax))
      ->capture_default_str();
  new_->add_option("--out", arguments_.directory, "Where the files go")
      ->type_name("DIR")
      ->capture_default_str();
}

}  // namespace revcache::config
