// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/reference/truth.hpp"
#include "one/part.hpp"
#include "support/shared.hpp"
#include "two/part.hpp"
