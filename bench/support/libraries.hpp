// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace inhibitor {
namespace bench {

/// Makes OpenBLAS and oneDNN use the instruction sets that this program is compiled for. OpenBLAS 0.3.21 takes CPUs
/// that it does not know for old ones (3.5 times slower); a program compiled without AVX-512 holds both libraries to
/// AVX2. OpenBLAS decides when it is loaded, so this may start the program anew; call it first in main.
void settle_libraries(char** arguments);

}  // namespace bench
}  // namespace inhibitor
