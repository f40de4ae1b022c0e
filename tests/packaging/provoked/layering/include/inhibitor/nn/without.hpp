// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/io/short_name.hpp"
