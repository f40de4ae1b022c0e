// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

inline int part() { return inhibitor::detail::borrowed(); }
