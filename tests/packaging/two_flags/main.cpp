// SPDX-License-Identifier: Apache-2.0
// two_flags first | both: runs the first part, or both, and compares with what the calls give in one part alone.
#include <cmath>
#include <cstdio>
#include <cstring>

#include "parts.hpp"

int main(int argc, char** argv) {
  const bool both = argc > 1 && std::strcmp(argv[1], "both") == 0;
  double first[40], second[40];
  const int count = first_part(first, both);
  static const double expected[] = {
      -2812.26979, -1807.32609, -121.156157, -2996.42597, -68.1936012, -2951.51107, -2951.51107, 1,  // float
      -2812.26979, -1807.32609, -121.156157, -2996.42597, -68.1936012, -2951.51107, -2951.51107, 1,  // double
      -2807.40017, -2807.40017, -715887,     -2807.40017, -2951.14903, -2951.14903,                  // bytes
      -2812.26979, -1922.49427, 1,           -2812.26979, -1922.49427, 1,                            // on Eigen's maps
      -4026.1703,  -4026.1703,                                                                       // new matrices
  };
  const int known = static_cast<int>(sizeof(expected) / sizeof(expected[0]));
  int wrong = count == (both ? known : known - 2) ? 0 : 1;
  const auto compare = [&](const char* part, const double* results) {
    for (int i = 0; i < count; ++i) {
      if (!both && results[i] == left_out) continue;
      if (std::fabs(results[i] - expected[i]) <= 1e-4 * (1 + std::fabs(expected[i]))) continue;
      std::printf("%s part, call %d: %.9g instead of %.9g\n", part, i, results[i], expected[i]);
      ++wrong;
    }
  };
  compare("first", first);
  if (both) {
    second_part(second, true);
    compare("second", second);
  }
  return wrong == 0 ? 0 : 1;
}
