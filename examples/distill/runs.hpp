// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "distill/stages.hpp"

// What `distill` makes, as a list. A run more is an entry more; a stage more is one in its list of stages (stages.hpp).

namespace inhibitor::examples {

/// Where a run's weights come from.
enum class run_start {
  random,   ///< drawn from the seed
  teacher,  ///< the teacher's, or the named layers of it
};

/// One model that is trained and compared.
struct distill_run {
  std::string name;         ///< of its folder and in tables
  std::string option;       ///< as --stages takes it
  std::string description;  ///< in tables
  std::string attention;  ///< name of the mixer in every layer
  bool is_teacher;  ///< what later runs learn from; not made when a teacher is given
  run_start start;  ///< of a student; --student replaces it
  std::vector<training_stage> (*stages)(const stage_inputs& in, const encoder_config& config);

  bool needs_teacher() const { return start == run_start::teacher; }
};

/// All runs, in the order they are made in.
inline const std::vector<distill_run>& distill_runs() {
  const std::string dot_product = "dot_product", inhibitor = "inhibitor";
  static const std::vector<distill_run> runs{
      {"E0", "teacher", "dot-product teacher", dot_product, true, run_start::random, label_stages},
      {"E1", "e1", "inhibitor, task-agnostic distillation", inhibitor, false, run_start::teacher, e1_stages},
      {"E2", "e2", "inhibitor, task-specific distillation", inhibitor, false, run_start::teacher, e2_stages},
      {"control", "control", "inhibitor, labels alone", inhibitor, false, run_start::random, label_stages}};
  return runs;
}

}  // namespace inhibitor::examples
