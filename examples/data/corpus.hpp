// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "data/corpus_words.hpp"

// A made-up corpus of short reviews in which word order decides. Sentences come in pairs with opposite labels; in most
// pairs both sentences consist of exactly the same words, so that counting words says nothing about them. A reader has
// to know which clause counts (but, although, at first), what a negation covers, and who holds an opinion.

namespace inhibitor::examples::corpus {

/// A review and its label, 1 for a good opinion and 0 for a bad one.
struct review {
  std::string text;
  int label;
};

struct reviews {
  std::vector<review> train;
  std::vector<review> dev;
};

/// The good and the bad sentence of a pair.
struct review_pair {
  std::string good;
  std::string bad;
};

/// Random choices that are the same with every standard library.
class chooser {
 public:
  explicit chooser(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_() % count); }
  bool coin() { return below(2) == 0; }
  template <class Items>
  const auto& of(const Items& items) {
    return items[below(items.size())];
  }
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::mt19937_64 random_;
};

namespace detail {

using std::string;

/// Everything one pair of sentences is built from, drawn once so that both sentences use the same words.
struct slots {
  const domain& about;
  string thing;       // film, novel, bistro
  string a, b;        // "the acting", "the songs"
  string a_is, b_is;  // is, are, was, were
  string a_good, a_bad, a_good_2, a_bad_2;
  string b_good, b_bad;
  string virtue, virtue_2, vice, vice_2;  // charm, noise
  string urge, warn;                      // see, skip
  string me, them;                        // we, the critics
  string liked, disliked;                 // loved, hated

  slots(chooser& pick, const domain& d) : about(d) {
    const bool past = pick.coin();
    thing = pick.of(d.things);
    const std::size_t first = pick.below(d.aspects.size());
    const std::size_t second = (first + 1 + pick.below(d.aspects.size() - 1)) % d.aspects.size();
    const aspect& x = d.aspects[first];
    const aspect& y = d.aspects[second];
    a = "the " + x.noun;
    b = "the " + y.noun;
    a_is = past ? (x.plural ? "were" : "was") : (x.plural ? "are" : "is");
    b_is = past ? (y.plural ? "were" : "was") : (y.plural ? "are" : "is");
    std::tie(a_good, a_good_2) = two(pick, x.good);
    std::tie(a_bad, a_bad_2) = two(pick, x.bad);
    b_good = pick.of(y.good);
    b_bad = pick.of(y.bad);
    if (pick.below(4) == 0) {
      const string degree = pick.of(degrees) + " ";
      a_good = degree + a_good;
      a_bad = degree + a_bad;
    }
    std::tie(virtue, virtue_2) = two(pick, d.virtues);
    std::tie(vice, vice_2) = two(pick, d.vices);
    urge = pick.of(d.urges);
    warn = pick.of(d.warnings);
    me = pick.coin() ? "i" : "we";
    them = pick.of(other_people);
    const auto& verbs = pick.of(opinion_verbs);
    liked = verbs[0];
    disliked = verbs[1];
  }

  static std::pair<string, string> two(chooser& pick, const std::vector<string>& from) {
    const std::size_t first = pick.below(from.size());
    const std::size_t second = (first + 1 + pick.below(from.size() - 1)) % from.size();
    return {from[first], from[second]};
  }
};

using maker = std::function<review_pair(chooser&, const slots&)>;

/// A way to build a pair, and how often it is taken.
struct family {
  int weight;
  maker make;
};

/// Two clauses of which one counts. `counts` and `other` are swapped to make the opposite sentence.
inline review_pair two_clauses(const slots& s, const std::function<string(const string&, const string&)>& join) {
  const string praise = s.a + " " + s.a_is + " " + s.a_good;
  const string blame = s.b + " " + s.b_is + " " + s.b_bad;
  return {join(praise, blame), join(blame, praise)};
}

/// Contrast: the clause after `but`, and the main clause beside `although`, decide.
inline std::vector<family> contrast_families() {
  return {
      {4,
       [](chooser& pick, const slots& s) {
         const string word = pick.of(but_words);
         return two_clauses(
             s, [&](const string& counts, const string& other) { return other + ", " + word + " " + counts; });
       }},
      {4,
       [](chooser& pick, const slots& s) {
         const string word = pick.of(although_words);
         return two_clauses(
             s, [&](const string& counts, const string& other) { return word + " " + other + ", " + counts; });
       }},
      {4,
       [](chooser& pick, const slots& s) {
         const string word = pick.of(although_words);
         return two_clauses(
             s, [&](const string& counts, const string& other) { return counts + ", " + word + " " + other; });
       }},
      {2,
       [](chooser&, const slots& s) {
         const auto text = [&](const string& first, const string& last) {
           return s.a + " seemed " + first + " at first, but " + last + " in the end";
         };
         return review_pair{text(s.a_bad, s.a_good), text(s.a_good, s.a_bad)};
       }},
      {2,
       [](chooser& pick, const slots& s) {
         const string evening = pick.coin() ? "i expected a " : "we expected a ";
         const auto text = [&](const string& hoped, const string& found) {
           return evening + hoped + " " + s.thing + " and found a " + found + " one";
         };
         const string good = pick.of(s.about.good);
         const string bad = pick.of(s.about.bad);
         return review_pair{text(bad, good), text(good, bad)};
       }},
      {2,
       [](chooser& pick, const slots& s) {
         const string journey = pick.of(s.about.journeys);
         const auto& verbs = pick.of(start_and_end);
         const auto& adverbs = pick.of(adverb_pairs);
         const auto text = [&](const string& first, const string& last) {
           return "the " + journey + " " + verbs[0] + " " + first + " and " + verbs[1] + " " + last;
         };
         return review_pair{text(adverbs[1], adverbs[0]), text(adverbs[0], adverbs[1])};
       }},
  };
}

/// Negation: which of two words is denied decides.
inline std::vector<family> negation_families() {
  return {
      {4,
       [](chooser& pick, const slots& s) {
         const bool blame_first = pick.coin();
         const auto text = [&](const string& deny_blame, const string& deny_praise) {
           const string blame = s.a + " " + s.a_is + deny_blame + " " + s.a_bad;
           const string praise = s.b + " " + s.b_is + deny_praise + " " + s.b_good;
           return blame_first ? blame + " and " + praise : praise + " and " + blame;
         };
         return review_pair{text(" not", ""), text("", " not")};
       }},
      {3,
       [](chooser& pick, const slots& s) {
         const bool denial_first = pick.coin();
         const auto text = [&](const string& is, const string& is_not) {
           return s.a + " " + s.a_is + (denial_first ? " not " + is_not + " but " + is : " " + is + ", not " + is_not);
         };
         return review_pair{text(s.a_good, s.a_bad), text(s.a_bad, s.a_good)};
       }},
      {2,
       [](chooser& pick, const slots& s) {
         const bool denial_first = pick.coin();
         const auto text = [&](const string& is, const string& is_not) {
           return s.a + " " + s.a_is + " " +
                  (denial_first ? "never " + is_not + " and always " + is : "always " + is + " and never " + is_not);
         };
         return review_pair{text(s.a_good, s.a_bad), text(s.a_bad, s.a_good)};
       }},
      {2,
       [](chooser&, const slots& s) {
         const auto text = [&](const string& is, const string& is_not) {
           return "there is no " + is_not + " in this " + s.thing + ", only " + is;
         };
         return review_pair{text(s.virtue, s.vice), text(s.vice, s.virtue)};
       }},
      {2,
       [](chooser& pick, const slots& s) {
         const bool without_first = pick.coin();
         const auto text = [&](const string& is, const string& is_not) {
           const string start = "this is a " + s.thing;
           return start +
                  (without_first ? " without " + is_not + " and with " + is : " with " + is + " and without " + is_not);
         };
         return review_pair{text(s.virtue, s.vice), text(s.vice, s.virtue)};
       }},
      {2,
       [](chooser& pick, const slots& s) {
         const bool denial_first = pick.coin();
         const auto text = [&](const string& do_it, const string& do_not) {
           return denial_first ? "do not " + do_not + " this " + s.thing + ", " + do_it + " it"
                               : "you should " + do_it + " this " + s.thing + ", not " + do_not + " it";
         };
         return review_pair{text(s.urge, s.warn), text(s.warn, s.urge)};
       }},
      {3,
       [](chooser&, const slots& s) {  // not the same words, but a word and its denial
         const auto text = [&](const string& is_not) { return s.a + " " + s.a_is + " not " + is_not; };
         return review_pair{text(s.a_bad), text(s.a_good)};
       }},
  };
}

/// Comparison and opinion: which side of `than` a thing is on, and whose opinion it is, decide.
inline std::vector<family> comparison_families() {
  return {
      {2,
       [](chooser& pick, const slots& s) {
         const string this_one = "this " + s.thing;
         const string last_one = "the last " + s.thing;
         const string verb = pick.coin() ? " is " : " was ";
         const string degree = pick.coin() ? "much " : "";
         const auto text = [&](const string& word) {
           return review_pair{this_one + verb + degree + word + " than the last one",
                              last_one + verb + degree + word + " than this one"};
         };
         const review_pair better = text(pick.of(better_words));
         const review_pair worse = text(pick.of(worse_words));
         return pick.coin() ? better : review_pair{worse.bad, worse.good};
       }},
      {2,
       [](chooser& pick, const slots& s) {
         const bool rather = pick.coin();
         const auto text = [&](const string& more, const string& less) {
           return s.a + " " + s.a_is +
                  (rather ? " " + more + " rather than " + less : " more " + more + " than " + less);
         };
         return review_pair{text(s.a_good_2, s.a_bad_2), text(s.a_bad_2, s.a_good_2)};
       }},
      {2,
       [](chooser& pick, const slots& s) {
         const bool more = pick.coin();
         const auto text = [&](const string& much, const string& little) {
           return "there is " + (more ? "more " + much + " than " + little : "less " + little + " than " + much) +
                  " in this " + s.thing;
         };
         return review_pair{text(s.virtue, s.vice), text(s.vice, s.virtue)};
       }},
      {3,
       [](chooser& pick, const slots& s) {
         const bool me_first = pick.coin();
         const auto text = [&](const string& mine, const string& theirs) {
           return me_first ? s.me + " " + mine + " this " + s.thing + ", but " + s.them + " " + theirs + " it"
                           : s.them + " " + theirs + " this " + s.thing + ", but " + s.me + " " + mine + " it";
         };
         return review_pair{text(s.liked, s.disliked), text(s.disliked, s.liked)};
       }},
      {3,
       [](chooser& pick, const slots& s) {
         const bool me_first = pick.coin();
         const auto text = [&](const string& mine, const string& theirs) {
           return me_first ? s.me + " " + mine + " the " + s.thing + " that " + s.them + " " + theirs
                           : s.them + " " + theirs + " the " + s.thing + " that " + s.me + " " + mine;
         };
         return review_pair{text(s.liked, s.disliked), text(s.disliked, s.liked)};
       }},
  };
}

/// Plain opinions, which the words alone decide.
inline std::vector<family> plain_families() {
  return {
      {5,
       [](chooser&, const slots& s) {
         const auto text = [&](const string& first, const string& second) {
           return s.a + " " + s.a_is + " " + first + " and " + s.b + " " + s.b_is + " " + second;
         };
         return review_pair{text(s.a_good, s.b_good), text(s.a_bad, s.b_bad)};
       }},
      {4,
       [](chooser& pick, const slots& s) {
         const auto text = [&](const string& word, const string& first, const string& second) {
           return "this is a " + word + " " + s.thing + " with " + first + " and " + second;
         };
         return review_pair{text(pick.of(s.about.good), s.virtue, s.virtue_2),
                            text(pick.of(s.about.bad), s.vice, s.vice_2)};
       }},
      {4,
       [](chooser&, const slots& s) {
         const auto text = [&](const string& verb, const string& word) {
           return s.me + " " + verb + " this " + s.thing + " because " + s.a + " " + s.a_is + " " + word;
         };
         return review_pair{text(s.liked, s.a_good), text(s.disliked, s.a_bad)};
       }},
      {3,
       [](chooser&, const slots& s) {
         const auto text = [&](const string& verb, const string& word) {
           return s.a + " " + s.a_is + " " + word + ", so you should " + verb + " this " + s.thing;
         };
         return review_pair{text(s.urge, s.a_good), text(s.warn, s.a_bad)};
       }},
  };
}

}  // namespace detail

/// Makes the corpus: `train` and `dev` sentences (even numbers), half of each label in both, all different. The same
/// for the same arguments on every machine.
inline reviews make_reviews(std::uint64_t seed, std::size_t train, std::size_t dev) {
  std::vector<detail::family> families;
  for (auto* group : {&detail::contrast_families, &detail::negation_families, &detail::comparison_families,
                      &detail::plain_families}) {
    for (const detail::family& f : group()) families.insert(families.end(), static_cast<std::size_t>(f.weight), f);
  }
  chooser pick(seed);
  std::set<std::string> seen;
  std::vector<review_pair> pairs;
  while (2 * pairs.size() < train + dev) {
    const detail::family& f = pick.of(families);
    const review_pair pair = f.make(pick, detail::slots(pick, pick.of(domains())));
    if (seen.count(pair.good) + seen.count(pair.bad) > 0) continue;
    seen.insert(pair.good);
    seen.insert(pair.bad);
    pairs.push_back(pair);
  }
  pick.shuffle(pairs);
  reviews result;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    std::vector<review>& part = 2 * i < dev ? result.dev : result.train;
    const std::string stop = pick.below(8) == 0 ? "!" : ".";
    part.push_back({pairs[i].good + stop, 1});
    part.push_back({pairs[i].bad + stop, 0});
  }
  pick.shuffle(result.train);
  pick.shuffle(result.dev);
  return result;
}

}  // namespace inhibitor::examples::corpus
