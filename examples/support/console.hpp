// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "inhibitor/training/training_progress.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"

// What the library leaves to the program: where messages go, and how a training shows itself and is stopped.

namespace inhibitor::examples {

/// The log_sink of our programs.
inline void log_to_stderr(const std::string& message) { fmt::print(stderr, "{}\n", message); }

/// Progress on stderr under the name `run`, messages on stderr, and an end on Ctrl-C or SIGTERM.
inline training_hooks console_hooks(const std::string& run) {
  training_hooks hooks;
  hooks.log = log_to_stderr;
  hooks.stop_requested = interrupt_requested;
  const auto shown = std::make_shared<std::optional<progress>>();
  hooks.stage_begun = [run, shown](const std::string& stage, index_t done, index_t total) {
    shown->emplace(run + " " + stage, total, done);
  };
  hooks.step_done = [shown](const step_report& s) { (*shown)->step(s.step, s.examples, s.loss); };
  return hooks;
}

}  // namespace inhibitor::examples
