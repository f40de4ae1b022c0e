// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <vector>

// The words of the made-up review corpus. An adjective keeps its polarity wherever it is used.

namespace inhibitor::examples::corpus {

/// A part of the thing under review, with adjectives that suit it.
struct aspect {
  std::string noun;
  bool plural;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

/// A kind of thing that is reviewed. Adjectives of the thing itself start with a consonant ("a ... film").
struct domain {
  std::vector<std::string> things;
  std::vector<aspect> aspects;
  std::vector<std::string> good;
  std::vector<std::string> bad;
  std::vector<std::string> virtues;
  std::vector<std::string> vices;
  std::vector<std::string> urges;
  std::vector<std::string> warnings;
  std::vector<std::string> journeys;  ///< what starts and ends
};

inline const std::vector<domain>& domains() {
  using words = std::vector<std::string>;
  static const words story_good{"clever", "gripping", "moving", "funny", "fresh", "charming", "superb", "brilliant"};
  static const words story_bad{"dull", "weak", "silly", "flat", "clumsy", "tedious", "stale", "boring"};
  static const words acting_good{"subtle", "warm", "superb", "brilliant", "lively", "natural"};
  static const words acting_bad{"wooden", "stiff", "flat", "weak", "clumsy", "lifeless"};
  static const words music_good{"lovely", "lively", "superb", "moving", "fresh"};
  static const words music_bad{"noisy", "dull", "cheap", "tedious", "annoying"};
  static const words people_good{"vivid", "charming", "funny", "warm", "likeable"};
  static const words people_bad{"flat", "shallow", "dull", "silly", "annoying"};
  static const words prose_good{"elegant", "clear", "witty", "vivid", "graceful"};
  static const words prose_bad{"clumsy", "wooden", "flat", "tedious", "confusing"};
  static const words food_good{"delicious", "tasty", "fresh", "superb", "perfect"};
  static const words food_bad{"bland", "cold", "stale", "greasy", "burnt"};
  static const words staff_good{"friendly", "kind", "quick", "helpful", "polite", "warm"};
  static const words staff_bad{"rude", "slow", "careless", "cold", "grumpy"};
  static const words room_good{"cosy", "bright", "lovely", "clean", "quiet"};
  static const words room_bad{"noisy", "dirty", "dark", "cramped", "ugly"};
  static const std::vector<domain> all{
      {{"film", "movie", "comedy", "thriller", "drama"},
       {{"story", false, story_good, story_bad},
        {"plot", false, story_good, story_bad},
        {"ending", false, story_good, story_bad},
        {"script", false, story_good, story_bad},
        {"dialogue", false, story_good, story_bad},
        {"acting", false, acting_good, acting_bad},
        {"cast", false, acting_good, acting_bad},
        {"music", false, music_good, music_bad},
        {"songs", true, music_good, music_bad},
        {"characters", true, people_good, people_bad},
        {"jokes", true, story_good, story_bad}},
       {"clever", "gripping", "moving", "funny", "charming", "superb", "brilliant"},
       {"dull", "weak", "silly", "clumsy", "tedious", "boring"},
       {"charm", "wit", "warmth", "heart", "style"},
       {"noise", "gloom", "boredom", "nonsense", "fuss"},
       {"see", "watch", "recommend"},
       {"skip", "avoid", "forget"},
       {"film", "movie", "comedy", "drama", "story", "plot"}},
      {{"book", "novel", "memoir", "romance"},
       {{"story", false, story_good, story_bad},
        {"plot", false, story_good, story_bad},
        {"ending", false, story_good, story_bad},
        {"prose", false, prose_good, prose_bad},
        {"style", false, prose_good, prose_bad},
        {"writing", false, prose_good, prose_bad},
        {"heroes", true, people_good, people_bad},
        {"characters", true, people_good, people_bad},
        {"chapters", true, story_good, story_bad}},
       {"clever", "gripping", "moving", "funny", "charming", "superb", "witty", "vivid"},
       {"dull", "weak", "silly", "clumsy", "tedious", "boring", "confusing"},
       {"charm", "wit", "warmth", "heart", "style"},
       {"gloom", "boredom", "nonsense", "fuss"},
       {"read", "buy", "recommend"},
       {"skip", "avoid", "forget"},
       {"book", "novel", "romance", "story", "plot"}},
      {{"restaurant", "cafe", "bistro", "diner"},
       {{"food", false, food_good, food_bad},
        {"soup", false, food_good, food_bad},
        {"bread", false, food_good, food_bad},
        {"fish", false, food_good, food_bad},
        {"pasta", false, food_good, food_bad},
        {"desserts", true, food_good, food_bad},
        {"service", false, staff_good, staff_bad},
        {"waiters", true, staff_good, staff_bad},
        {"cooks", true, staff_good, staff_bad},
        {"room", false, room_good, room_bad},
        {"tables", true, room_good, room_bad}},
       {"lovely", "charming", "superb", "friendly", "cosy", "bright"},
       {"noisy", "dirty", "cramped", "cheap", "dark"},
       {"charm", "warmth", "comfort", "style", "care"},
       {"noise", "gloom", "dirt", "fuss"},
       {"visit", "try", "recommend"},
       {"skip", "avoid", "forget"},
       {"meal", "dinner", "lunch", "evening"}}};
  return all;
}

inline const std::vector<std::string> degrees{"very", "really"};
inline const std::vector<std::string> but_words{"but", "yet"};
inline const std::vector<std::string> although_words{"although", "though", "while"};
inline const std::vector<std::string> better_words{"better", "nicer"};
inline const std::vector<std::string> worse_words{"worse", "poorer"};
inline const std::vector<std::string> other_people{"the critics", "my friends", "my parents", "the others",
                                                   "my neighbours"};
inline const std::vector<std::array<std::string, 2>> opinion_verbs{
    {{"loved", "hated"}}, {{"enjoyed", "disliked"}}, {{"admired", "despised"}}, {{"praised", "mocked"}}};
inline const std::vector<std::array<std::string, 2>> start_and_end{
    {{"starts", "ends"}}, {{"begins", "ends"}}, {{"started", "ended"}}, {{"began", "ended"}}};
/// Good and bad.
inline const std::vector<std::array<std::string, 2>> adverb_pairs{
    {{"well", "badly"}}, {{"strongly", "weakly"}}, {{"brightly", "slowly"}}, {{"cleverly", "poorly"}}};

/// Stems and endings the vocabulary holds instead of the whole words, so that the corpus has words of two pieces.
inline const std::vector<std::string> stems{"bad",     "strong", "poor",    "nice",   "love", "hate",  "enjoy",
                                            "dislike", "admire", "despise", "praise", "mock", "start", "end"};
inline const std::vector<std::string> endings{"ly", "ed", "er", "d", "r", "s"};

}  // namespace inhibitor::examples::corpus
