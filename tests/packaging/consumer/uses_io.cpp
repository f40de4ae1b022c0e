// SPDX-License-Identifier: Apache-2.0
#include <inhibitor/io/safetensors.hpp>

int main() {
  try {
    inhibitor::safetensors_file::read("no such file");
  } catch (const inhibitor::file_error&) {
    return 0;
  }
  return 1;
}
