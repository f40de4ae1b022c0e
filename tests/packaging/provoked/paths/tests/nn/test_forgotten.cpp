// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/nn/here.hpp"
