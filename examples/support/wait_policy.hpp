// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <initializer_list>

namespace inhibitor::examples {

/// Makes OpenMP threads that wait for the others sleep instead of spin: when another program has one of the cores,
/// spinning threads take the time that the late one needs. The runtime reads the variable when it is loaded, before
/// `main`, so the program starts itself once more with it set. A user's own choice stays. `argv` is main's.
inline void wait_passively(char** argv) {
#if defined(_OPENMP) && defined(__linux__)
  for (const char* choice : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}) {
    if (::getenv(choice) != nullptr) return;
  }
  if (::setenv("OMP_WAIT_POLICY", "passive", 0) == 0) ::execv("/proc/self/exe", argv);
    // Where this fails the threads spin, which is slower and nothing worse.
#else
  static_cast<void>(argv);
#endif
}

}  // namespace inhibitor::examples
