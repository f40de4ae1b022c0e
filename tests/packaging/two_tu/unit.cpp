// SPDX-License-Identifier: Apache-2.0
// Every public header in one translation unit, whose object file is linked with itself: a function or variable defined in a
// header without `inline` is then defined twice, and the linker says so.
#include INHIBITOR_TWO_TU_HEADER
