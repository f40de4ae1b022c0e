// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <csignal>

// Ctrl-C and SIGTERM become a flag that long loops look at between steps, so that they can leave a checkpoint.

namespace inhibitor::examples {

namespace detail {

inline volatile std::sig_atomic_t interrupt_flag = 0;
inline volatile std::sig_atomic_t checkpoint_follows = 0;

extern "C" inline void note_interrupt(int signal) {
  if (interrupt_flag == 0) {
    interrupt_flag = 1;
  } else if (checkpoint_follows != 0) {
    static const char text[] = "\nending after this step and its checkpoint; SIGKILL ends at once\n";
    [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text, sizeof text - 1);
  } else {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

}  // namespace detail

/// From now on the first SIGINT or SIGTERM only sets the flag; a second one ends the program as usual, except while a
/// checkpoint_promise is there.
inline void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = detail::note_interrupt;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

/// True once a signal has come.
inline bool interrupt_requested() { return detail::interrupt_flag != 0; }

/// While it lives, the flag is looked at and answered with a checkpoint: people who press Ctrl-C twice must not lose
/// it.
class checkpoint_promise {
 public:
  checkpoint_promise() { detail::checkpoint_follows = 1; }
  checkpoint_promise(const checkpoint_promise&) = delete;
  checkpoint_promise& operator=(const checkpoint_promise&) = delete;
  ~checkpoint_promise() { detail::checkpoint_follows = 0; }
};

}  // namespace inhibitor::examples
