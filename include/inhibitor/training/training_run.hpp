// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "inhibitor/training/run_identity.hpp"
#include "inhibitor/training/training_progress.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A model's training as a whole, whatever it learns.
struct training_run {
  std::string name;        ///< stored in the checkpoint, begins messages
  run_identity identity;   ///< what must not change between a run and its resumption
  std::string checkpoint;  ///< file to keep while training; the caller removes it when the model is saved
  bool resume = false;     ///< go on from the checkpoint when it belongs to this run
  std::uint64_t seed = 0;
  double checkpoint_seconds = 120;
  training_hooks hooks;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
