// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/resource.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "inhibitor/base/config.hpp"
#include "inhibitor/measure/proc_field.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Largest resident memory of the process since the last reset, in bytes; since its start where the system cannot reset.
inline index_t peak_resident_bytes() {
  const std::string peak = proc_field("/proc/self/status", "VmHWM");
  if (!peak.empty()) return static_cast<index_t>(std::strtoll(peak.c_str(), nullptr, 10)) * 1024;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<index_t>(usage.ru_maxrss) * 1024;
}

/// The same in MiB.
inline double peak_memory_mib() { return static_cast<double>(peak_resident_bytes()) / (1024.0 * 1024.0); }

/// Lets peak_resident_bytes start anew from what is resident now; Linux alone can.
inline void reset_peak_resident_bytes() { std::ofstream("/proc/self/clear_refs") << "5"; }

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
