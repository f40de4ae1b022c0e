// SPDX-License-Identifier: Apache-2.0
#pragma once

// The whole core in one include.

#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/attention/params.hpp"
#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/base/check.hpp"
#include "inhibitor/base/config.hpp"
#include "inhibitor/base/executor.hpp"
#include "inhibitor/version.hpp"
