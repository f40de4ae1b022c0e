// SPDX-License-Identifier: Apache-2.0

#include "compiled_models/compiled_models.hpp"

namespace inhibitor {

INHIBITOR_MODEL_OF(, double)

}  // namespace inhibitor
