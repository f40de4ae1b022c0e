// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/nn/fine.hpp"
#include <inhibitor/nn/fine.hpp>
#include "tensor.hpp"
