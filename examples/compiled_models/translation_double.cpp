// SPDX-License-Identifier: Apache-2.0

#include "compiled_models/translation_models.hpp"

namespace inhibitor {

INHIBITOR_TRANSLATION_MODEL_OF(, double)

}  // namespace inhibitor
