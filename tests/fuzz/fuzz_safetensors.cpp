// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "inhibitor/io/safetensors_reader.hpp"

// Any bytes: either file_error, or a file whose every tensor can be read to its last byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace inhibitor;
  // An exact copy, so that the address sanitizer sees the first byte beyond the file.
  const std::vector<std::uint8_t> copy(bytes, bytes + size);
  try {
    const auto file = safetensors_file::view(copy.data(), copy.size(), "fuzz");
    std::uint64_t end = 0;
    for (const tensor_info& tensor : file.tensors()) {
      if (tensor.begin != end || file.find(tensor.name) != &tensor) std::abort();
      end = tensor.end;
      const auto count = static_cast<std::size_t>(tensor.elements());
      try {
        std::vector<double> values(count);
        file.copy_to(tensor, values.data());
      } catch (const file_error&) {
        try {
          std::vector<std::int64_t> values(count);
          file.copy_to(tensor, values.data());
        } catch (const file_error&) {
        }
      }
    }
  } catch (const file_error&) {
  }
  return 0;
}
