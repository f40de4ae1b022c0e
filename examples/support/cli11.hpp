// SPDX-License-Identifier: Apache-2.0
#pragma once

// CLI11, all of whose functions are compiled with every program: parsing a command line need not be fast, and without
// optimization that takes g++ a third of the time.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("O0")
#endif
#include <CLI/CLI.hpp>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif
