// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
namespace bench {

/// Makes OpenBLAS and oneDNN use the instruction sets that this program is compiled for. OpenBLAS 0.3.21 takes CPUs
/// that it does not know for old ones (3.5 times slower); a program compiled without AVX-512 holds both libraries to
/// AVX2. OpenBLAS decides when it is loaded, so this may start the program anew; call it first in main.
void settle_libraries(char** arguments);

/// "Intel(R) Xeon(R) Processor, family 6, model 167; avx2 avx512f avx512_vnni amx_int8"
std::string cpu_description();
/// "g++ 12.2.0, -O3 -march=native"
std::string compiler_description();

/// Largest resident memory of the process since the last reset, in bytes; since its start where the system cannot
/// reset.
index_t peak_resident_bytes();
void reset_peak_resident_bytes();

}  // namespace bench
}  // namespace inhibitor
