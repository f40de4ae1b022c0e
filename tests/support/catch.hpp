// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

// Catch2 2.13 and 3 are included through this one header. Tests keep to what both understand.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

/// Matcher for strings that hold `text`. Catch2 2 calls it Contains, a name that means element of a range in Catch2 3.
inline auto contains_text(const std::string& text) {
#if __has_include(<catch2/catch_all.hpp>)
  return Catch::Matchers::ContainsSubstring(text);
#else
  return Catch::Matchers::Contains(text);
#endif
}
