// SPDX-License-Identifier: Apache-2.0
#include "inhibitor.h"
#include "inhibitor/nn/linear.hpp"
