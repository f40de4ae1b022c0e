// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/metrics/tokenizer_13a.hpp"

#include "support/catch.hpp"

using inhibitor::tokenize_13a;

// Expected values were taken from sacreBLEU's own tokenizer.

TEST_CASE("tokenize_13a: symbols stand alone, apostrophes and hyphens do not") {
  CHECK(tokenize_13a("10%-20% (a/b) {c}~|`^_\\") == "10 % -20 % ( a / b ) { c } ~ | ` ^ _ \\");
  CHECK(tokenize_13a("it's don't 'x'") == "it's don't 'x'");
  CHECK(tokenize_13a("a-b 1-2 x1-y") == "a-b 1 - 2 x1 - y");
  CHECK(tokenize_13a("-1 - 2-") == "-1 - 2 -");
}

TEST_CASE("tokenize_13a: periods and commas stay inside numbers alone") {
  CHECK(tokenize_13a("3.5 3. .5 a.5 5.a") == "3.5 3 . . 5 a . 5 5 . a");
  CHECK(tokenize_13a("a,b,c 1,000,000") == "a , b , c 1,000,000");
  CHECK(tokenize_13a("U.S.A.'s 90's") == "U . S . A . 's 90's");
  CHECK(tokenize_13a("..x") == ". . x");
  CHECK(tokenize_13a("...") == ". . .");
  // Digits are 0 to 9: after an Arabic-Indic one a comma is split off.
  CHECK(tokenize_13a("1.\xD9\xA1,2") == "1 . \xD9\xA1 , 2");
}

TEST_CASE("tokenize_13a: marks of the old test sets") {
  CHECK(tokenize_13a("<skipped>z&lt;q&gt;&quot;") == "z < q > \"");
  CHECK(tokenize_13a("&amp;lt;") == "<");
  CHECK(tokenize_13a("x-\ny") == "xy");
  CHECK(tokenize_13a("a\nb") == "a b");
}

TEST_CASE("tokenize_13a: white space of all kinds, letters beyond ASCII untouched") {
  CHECK(tokenize_13a("\xC2\xA0\xC3\xA4.\xE2\x80\xA8\xC3\xB6,\xC3\xBC\xE3\x80\x80") == "\xC3\xA4 . \xC3\xB6 , \xC3\xBC");
  CHECK(tokenize_13a("a\x1C"
                     "b\t c") == "a b c");
  CHECK(tokenize_13a("") == "");
  CHECK(tokenize_13a(" \t\n") == "");
}
