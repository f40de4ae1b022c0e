// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "support/cli11.hpp"

// Checks of numbers on the command line. CLI11's own name in their messages the largest number of a double, 309 digits.

namespace inhibitor::examples {

namespace detail {

template <class Accepts>
CLI::Validator number_check(const std::string& name, const std::string& expected, Accepts accepts) {
  return CLI::Validator(
      [expected, accepts](std::string& input) {
        double value = 0;
        const bool is_number = CLI::detail::lexical_cast(input, value);
        return is_number && accepts(value) ? std::string() : "found " + input + "; expected " + expected;
      },
      name);
}

}  // namespace detail

/// 0 or more.
inline CLI::Validator non_negative() {
  return detail::number_check("NONNEGATIVE", "0 or more", [](double value) { return value >= 0; });
}

/// More than 0.
inline CLI::Validator positive() {
  return detail::number_check("POSITIVE", "more than 0", [](double value) { return value > 0; });
}

}  // namespace inhibitor::examples
