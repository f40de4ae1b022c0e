// SPDX-License-Identifier: Apache-2.0
#include "attention/own_float.hpp"

namespace inhibitor {
namespace bench {

void add_own_f64(contender_list& list) { add_own_float<double>(list, "f64", exactness::float64); }

}  // namespace bench
}  // namespace inhibitor
