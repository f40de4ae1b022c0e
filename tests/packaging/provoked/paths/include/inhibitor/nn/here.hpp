// SPDX-License-Identifier: Apache-2.0
#pragma once

// See nn/moved.hpp, not nn/here.hpp.
