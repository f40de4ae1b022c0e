// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "inhibitor/simd/isa.hpp"

// run_if_supported <isa> <program> [argument...]: becomes the program when this machine supports the instruction set,
// else says so and returns 77, which CTest counts as skipped.

namespace {

template <class... Isa>
int support(const char* name) {
  int found = -1;
  ((std::strcmp(name, inhibitor::isa_name<Isa>()) == 0 ? void(found = inhibitor::isa_supported<Isa>() ? 1 : 0)
                                                       : void()),
   ...);
  return found;
}

}  // namespace

int main(int count, char** arguments) {
  using namespace inhibitor::isa;
  const int supported =
      count < 3
          ? -1
          : support<scalar, sse2, sse4_1, avx2, avx2_vnni, avx512, avx512_vnni, avx512_amx, neon, neon_dot, neon_i8mm>(
                arguments[1]);
  if (supported < 0) {
    std::fprintf(stderr, "usage: run_if_supported <isa> <program> [argument...]\n");
    return 2;
  }
  if (supported == 0) {
    std::printf("skipped: this machine does not support %s\n", arguments[1]);
    return 77;
  }
  execv(arguments[2], arguments + 2);
  std::perror(arguments[2]);
  return 2;
}
