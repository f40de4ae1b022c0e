// SPDX-License-Identifier: Apache-2.0
#include <inhibitor/io/safetensors.hpp>
#include <inhibitor/kernels/dispatch/dispatch.hpp>
#include <inhibitor/text/wordpiece.hpp>
#include <string>

int main() {
  if (inhibitor::active_isa() != std::string("scalar")) return 1;
  const inhibitor::wordpiece words({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "far"});
  try {
    inhibitor::safetensors_file::read("no such file");
  } catch (const inhibitor::file_error&) {
    return words.size() == 6 ? 0 : 1;
  }
  return 1;
}
