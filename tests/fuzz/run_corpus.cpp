// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

// Stands in for libFuzzer where there is none: runs every file of the given folders through the target, each also cut
// short at a few places and with single bytes changed.
int main(int argc, char** argv) {
  std::size_t runs = 0;
  const auto run = [&](const std::vector<std::uint8_t>& input) {
    LLVMFuzzerTestOneInput(input.data(), input.size());
    ++runs;
  };
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream in(entry.path(), std::ios::binary);
      const std::vector<std::uint8_t> whole{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
      run(whole);
      const std::size_t step = std::max<std::size_t>(1, whole.size() / 64);
      for (std::size_t at = 0; at < whole.size(); at += step) {
        run({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at)});
        for (const int change : {0x01, 0x20, 0x80, 0xFF}) {
          std::vector<std::uint8_t> changed = whole;
          changed[at] = static_cast<std::uint8_t>(changed[at] ^ change);
          run(changed);
        }
      }
    }
  }
  std::printf("%zu inputs\n", runs);
  return runs > 0 ? 0 : 1;
}
