// SPDX-License-Identifier: Apache-2.0

#include <string>
#include <vector>

#include "inhibitor/pretrained/bpe_tokenizer.hpp"
#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using inhibitor::test::temp_folder;

namespace {

bpe_tokenizer small_tokenizer() {
  word_counter words;
  count_bpe_words("low low low low low lower lower newest newest newest newest newest newest widest widest widest",
                  words);
  bpe_learner_options options;
  options.merges = 30;
  return {learn_bpe(words, options), words};
}

}  // namespace

TEST_CASE("bpe_tokenizer: text comes back as it was but for its white space and unknown characters") {
  const bpe_tokenizer tokenizer = small_tokenizer();
  CHECK(tokenizer.pad_id() == 0);
  CHECK(tokenizer.end_id() == 1);
  CHECK(tokenizer.unknown_id() == 2);
  CHECK(tokenizer.size() == 3 + 4);  // every word of the text is one unit
  bpe_cache cache;
  CHECK(tokenizer.encode("newest low", cache) == std::vector<std::int32_t>{3, 4});  // the most frequent first
  CHECK(tokenizer.decode(tokenizer.encode("  widest   lower low ", cache)) == "widest lower low");
  CHECK(tokenizer.encode("low xyz", cache) == std::vector<std::int32_t>{4, 2, 2, 2});
  CHECK(tokenizer.encode("  ", cache).empty());
  CHECK(tokenizer.decode({}).empty());
}

TEST_CASE("bpe_tokenizer: what is saved loads, and what is malformed is named") {
  const bpe_tokenizer tokenizer = small_tokenizer();
  const temp_folder folder;
  tokenizer.save(folder.path());
  const bpe_tokenizer loaded = bpe_tokenizer::load(folder.path());
  bpe_cache a, b;
  CHECK(loaded.encode("low newest slower", a) == tokenizer.encode("low newest slower", b));
  CHECK(loaded.size() == tokenizer.size());
  const auto problem = [&](const std::string& vocabulary) {
    folder.write("vocab.json", vocabulary);
    try {
      bpe_tokenizer::load(folder.path());
    } catch (const file_error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK_THAT(problem(R"({"<pad>": 0, "</s>": 1, "<unk>": 1})"), contains_text("expected each of 0 to 2 once"));
  CHECK_THAT(problem(R"({"<pad>": 0, "</s>": 1, "<unk>": 3})"),
             contains_text("gives <unk> the id 3; expected each of 0 to 2 once"));
  CHECK_THAT(problem(R"({"<pad>": 0, "</s>": 1})"), contains_text("vocab.json: lacks the token <unk>"));
  CHECK_THAT(problem("[]"), contains_text("is no object"));
}
