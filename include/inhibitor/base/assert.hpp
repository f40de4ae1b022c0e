// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>

// For kernels, which do not throw: INHIBITOR_ASSERT(condition) aborts in debug builds and is nothing in others. What is
// checked always, at the edge of the library, uses check() of base/check.hpp or a status.

#define INHIBITOR_ASSERT(condition) assert(condition)
