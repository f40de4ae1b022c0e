// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "inhibitor/attention/outside.hpp"
#include "inhibitor/nn/facade.hpp"
