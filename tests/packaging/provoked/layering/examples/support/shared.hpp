// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "one/part.hpp"
#include <inhibitor/nn/fine.hpp>
