// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <sstream>
#include <string>

#include "inhibitor/base/target.hpp"
#include "inhibitor/measure/proc_field.hpp"

// What a result says about the machine that it was measured on.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Name of the processor as Linux tells it, "Intel(R) Xeon(R) Processor"; "unknown" where it does not.
inline std::string cpu_model() {
  const std::string name = proc_field("/proc/cpuinfo", "model name");
  return name.empty() ? "unknown" : name;
}

/// "Intel(R) Xeon(R) Processor, family 6, model 167; avx2 avx512f avx512_vnni amx_int8": with what tells processors of one
/// name apart, and those instruction sets that figures depend on.
inline std::string cpu_description() {
  const char* file = "/proc/cpuinfo";
  std::string text = cpu_model();
  if (text == "unknown") return text;
  text += ", family " + proc_field(file, "cpu family") + ", model " + proc_field(file, "model") + ";";
  std::istringstream flags(" " + proc_field(file, "flags"));
  const std::string interesting = " avx2 avx_vnni avx512f avx512_vnni avx512_fp16 amx_int8 ";
  for (std::string flag; flags >> flag;) {
    if (interesting.find(" " + flag + " ") != std::string::npos) text += " " + flag;
  }
  return text;
}

/// Programs that wanted to run in the last minute, on average; -1 where the system does not say.
inline double load_average() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : -1;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
