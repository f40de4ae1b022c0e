// SPDX-License-Identifier: Apache-2.0
#pragma once

// Each fills `results` (room for 40) and returns how many there are. `everything`: also what the parts share, which a
// processor older than one of them need not run (README, "Parts with different compiler flags"): matrices that
// attention() returns, made by functions of Eigen, and softmax in double, without optimization made of xsimd's.
int first_part(double* results, bool everything);
int second_part(double* results, bool everything);

/// In place of a result that `everything` would have.
constexpr double left_out = 1e300;
