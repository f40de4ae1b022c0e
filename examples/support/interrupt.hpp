// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

// Ctrl-C and SIGTERM become a flag that long loops look at between steps, so that they can leave a checkpoint.

namespace inhibitor::examples {

namespace detail {
inline volatile std::sig_atomic_t interrupt_flag = 0;
extern "C" inline void set_interrupt_flag(int) { interrupt_flag = 1; }
}  // namespace detail

/// From now on the first SIGINT or SIGTERM only sets the flag; a second one ends the program as usual.
inline void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = detail::set_interrupt_flag;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

/// True once a signal has come.
inline bool interrupt_requested() { return detail::interrupt_flag != 0; }

}  // namespace inhibitor::examples
