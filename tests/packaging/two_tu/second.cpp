// SPDX-License-Identifier: Apache-2.0
#include INHIBITOR_TWO_TU_HEADER

int second_unit();
int second_unit() { return INHIBITOR_VERSION_MAJOR; }
