// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctime>

#include "inhibitor/base/target.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Seconds on a clock that never goes back: the processor time of this thread where one thread does the work, which is the
/// wall time less what other programs took; the wall time where several do.
inline double seconds_now(int threads) {
  timespec now{};
  clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
