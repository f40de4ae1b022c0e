// SPDX-License-Identifier: Apache-2.0
#pragma once

// Catch2 2.13 and 3.x are included through this one header; see docs of the two for the common subset.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
