// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "inhibitor/pretrained/config_json.hpp"

// Any text: either file_error, or a configuration that is written and read again unchanged.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace inhibitor;
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  try {
    const model_config_file file = parse_model_config(parse_json(text, "fuzz"), "fuzz");
    const nlohmann::json saved = model_config_document(file, {});
    if (model_config_document(parse_model_config(saved, "again"), {}) != saved) std::abort();
  } catch (const file_error& error) {
    if (std::string(error.what()).rfind("again", 0) == 0) std::abort();
  }
  return 0;
}
