// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

// Ten translations with their references whose scores are known from sacreBLEU, Moses' multi-bleu and nltk. They cover
// entities, numbers, clipped counts, letters beyond ASCII and segments too short for n-grams of four.

namespace inhibitor::test {

inline const std::vector<std::string> translation_hypotheses{"A man in a red shirt is climbing a rock wall.",
                                                             "Two dogs run through the snow.",
                                                             "the the the the the the the",
                                                             "The price is 3,500.50 dollars (about 10%).",
                                                             "A well-known 1990-style \"retro\" car, parked.",
                                                             "Ein M\xC3\xA4"
                                                             "dchen springt \xC3\xBC"
                                                             "ber die Stra\xC3\x9F"
                                                             "e.",
                                                             "Hello",
                                                             "A boy plays .",
                                                             "People &amp; animals wait at the station; nobody moves!",
                                                             "completely different words here"};

inline const std::vector<std::string> translation_references{"A man in a red shirt climbs up a rock wall.",
                                                             "Two dogs are running through deep snow.",
                                                             "the cat is on the mat",
                                                             "The price is 3,500.50 dollars, about 10 %.",
                                                             "A well-known 1990-style 'retro' car is parked.",
                                                             "Ein kleines M\xC3\xA4"
                                                             "dchen springt \xC3\xBC"
                                                             "ber eine nasse Stra\xC3\x9F"
                                                             "e.",
                                                             "Hello",
                                                             "A boy plays.",
                                                             "People & animals wait at the station; nobody moves.",
                                                             "nothing matches in this reference sentence"};

/// A second reference for every line.
inline std::vector<std::string> second_translation_references() {
  std::vector<std::string> lines = translation_references;
  lines[0] = "A MAN IN A RED SHIRT IS CLIMBING A ROCK WALL.";
  lines[1] = "Two dogs run through some deep deep snow.";
  lines[2] = "THE THE THE THE THE THE THE";
  lines[3] = "The price is about dollars 10% (3,500.50).";
  lines[4] = "A WELL-KNOWN 1990-STYLE \"RETRO\" CAR, PARKED.";
  return lines;
}

}  // namespace inhibitor::test
