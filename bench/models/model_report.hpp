// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "models/contenders.hpp"

// What bench_model found, as JSON and as Markdown.

namespace inhibitor {
namespace bench {

struct contender_result {
  std::string name, details;
  double difference = 0;  ///< from the reference, relative
  std::vector<double> seconds;
  inference_profile profile;

  double median() const;
};

struct problem_result {
  model_problem problem;
  std::vector<contender_result> contenders;

  /// Median seconds of a contender, or 0.
  double median_of(const std::string& name) const;
};

struct model_run {
  std::string cpu, compiler, commit;
  std::vector<std::string> notes;
  double gelu_seconds = 0;  ///< of one number
  std::vector<problem_result> problems;
};

/// Processor time of GELU on one number of a block that is in the cache.
double gelu_seconds_per_number();

std::string to_json(const model_run& run);
/// Times of everybody, ratios that have a goal, and where our time goes.
std::string markdown(const model_run& run);

}  // namespace bench
}  // namespace inhibitor
