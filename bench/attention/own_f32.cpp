// SPDX-License-Identifier: Apache-2.0
#include "attention/own_float.hpp"

namespace inhibitor {
namespace bench {

void add_own_f32(contender_list& list) { add_own_float<float>(list, "f32", exactness::float32); }

}  // namespace bench
}  // namespace inhibitor
