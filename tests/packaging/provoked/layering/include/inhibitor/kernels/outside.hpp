// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

#include "inhibitor/reference/truth.hpp"
