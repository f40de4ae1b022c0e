// SPDX-License-Identifier: Apache-2.0
#include "support/libraries.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string>

#if defined(_OPENMP)
#include <omp.h>
#endif
#if INHIBITOR_BENCH_OPENBLAS
#include <cblas.h>
#endif

namespace inhibitor {
namespace bench {

void settle_libraries(char** arguments) {
#if defined(_OPENMP)
  omp_set_num_threads(1);  // for the libraries; our executors ask for theirs
#endif
#if defined(__x86_64__) && !defined(__AVX512F__)
  setenv("DNNL_MAX_CPU_ISA", "AVX2", 0);
#endif
#if INHIBITOR_BENCH_OPENBLAS && defined(__AVX2__)
#if defined(__AVX512F__)
  const char* wanted = "SkylakeX";
  const std::string good = "SkylakeX Cooperlake SapphireRapids";
#else
  const char* wanted = "Haswell";
  const std::string good = "Haswell Zen";
#endif
  if (std::getenv("OPENBLAS_CORETYPE") == nullptr && good.find(openblas_get_corename()) == std::string::npos) {
    setenv("OPENBLAS_CORETYPE", wanted, 1);
    execv("/proc/self/exe", arguments);  // comes back only if it fails; the notes then name the kernels in use
  }
#else
  (void)arguments;
#endif
}

}  // namespace bench
}  // namespace inhibitor
