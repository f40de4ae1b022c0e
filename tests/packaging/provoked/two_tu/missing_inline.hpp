// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/version.hpp"

namespace inhibitor {

int defined_in_every_unit();
int defined_in_every_unit() { return 1; }

}  // namespace inhibitor
