// SPDX-License-Identifier: Apache-2.0
// Two translation units that include every public header, linked into one program: a function or variable defined in a
// header without `inline` is then defined twice, and the linker says so.
#include INHIBITOR_TWO_TU_HEADER

int second_unit();

int main() { return second_unit() == INHIBITOR_VERSION_MAJOR ? 0 : 1; }
