// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "attention/contender.hpp"

namespace inhibitor {
namespace bench {

/// A measurement: who computes what.
struct measurement {
  const contender_entry* who;
  problem what;
  /// "forward/inhibitor/u8/avx512_vnni/B:1/H:12/L:512/S:512/D:64/threads:1"
  std::string name() const;
};

/// Names of the suites with what they answer, for --help.
extern const char* const suites_help;

/// The measurements of a suite, none twice. `suite` is a name of suites_help, several with commas, or "all". `alive` is
/// the per cent of living values where the suite does not vary it. Throws std::invalid_argument for an unknown name.
std::vector<measurement> measurements_of(const std::string& suite, int alive, const contender_list& list);

}  // namespace bench
}  // namespace inhibitor
