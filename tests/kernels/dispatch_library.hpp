// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What plain calls use in the library, and the sum of an attention they compute there.
const char* isa_of_library();
float sum_of_library();
