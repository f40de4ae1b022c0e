// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/models/two/config.hpp"
