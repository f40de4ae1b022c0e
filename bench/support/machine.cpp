// SPDX-License-Identifier: Apache-2.0
#include "support/machine.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#if defined(_OPENMP)
#include <omp.h>
#endif
#if INHIBITOR_BENCH_OPENBLAS
#include <cblas.h>
#endif

namespace inhibitor {
namespace bench {
namespace {

std::string field_of(const char* file, const std::string& field) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || line.compare(0, field.size(), field) != 0) continue;
    if (line.find_first_not_of(" \t", field.size()) != colon) continue;
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return {};
}

}  // namespace

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

std::string cpu_description() {
  const char* file = "/proc/cpuinfo";
  std::string text = field_of(file, "model name");
  if (text.empty()) return "unknown";
  text += ", family " + field_of(file, "cpu family") + ", model " + field_of(file, "model") + ";";
  std::istringstream flags(" " + field_of(file, "flags"));
  const std::string interesting = " avx2 avx_vnni avx512f avx512_vnni avx512_fp16 amx_int8 ";
  for (std::string flag; flags >> flag;) {
    if (interesting.find(" " + flag + " ") != std::string::npos) text += " " + flag;
  }
  return text;
}

std::string compiler_description() {
#if defined(__clang__)
  return "clang++ " __clang_version__ ", " INHIBITOR_BENCH_FLAGS;
#else
  return "g++ " __VERSION__ ", " INHIBITOR_BENCH_FLAGS;
#endif
}

index_t peak_resident_bytes() {
  const std::string peak = field_of("/proc/self/status", "VmHWM");
  if (!peak.empty()) return static_cast<index_t>(std::strtoll(peak.c_str(), nullptr, 10)) * 1024;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<index_t>(usage.ru_maxrss) * 1024;
}

void reset_peak_resident_bytes() {
  std::ofstream("/proc/self/clear_refs") << "5";  // Linux: back to what is resident now
}

}  // namespace bench
}  // namespace inhibitor
