// A configuration file of any bytes gives settings or a list of errors, never a crash; settings
// that load print to a file that loads to the same settings again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "config/load.h"
#include "config/show.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace revcache;
  const config::Environment environment{
      .is_root = false, .home = "/nonexistent", .xdg_state_home = ""};
  const auto loaded = config::load_text(as_text({data, size}), "/nonexistent/c.toml", environment);
  if (!loaded) {
    CHECK(!loaded.error().empty());
    for (const auto& error : loaded.error()) CHECK(!error.to_string().empty());
    return 0;
  }
  const std::string text = config::effective_text(*loaded);
  const auto again = config::load_text(text, "/nonexistent/c.toml", environment);
  CHECK(again.has_value());
  CHECK(config::effective_text(*again) == text);
  return 0;
}
