// SPDX-License-Identifier: Apache-2.0

// Text to pretrain on: documents, what repeats, and the packed file.

#include "inhibitor/data/packed_corpus.hpp"

#include <filesystem>

#include "inhibitor/base/random.hpp"
#include "inhibitor/data/unigram.hpp"
#include "inhibitor/io/atomic_file.hpp"
#include "support/catch.hpp"
#include "support/gzip_text.hpp"
#include "support/temp_folder.hpp"
#include "support/threads.hpp"

using namespace inhibitor;
using namespace inhibitor::test;
using Catch::Matchers::Contains;

namespace {

const wordpiece& letters() {
  static const wordpiece tokenizer([] {
    std::vector<std::string> tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    for (char c = 'a'; c <= 'z'; ++c) tokens.push_back({c});
    return tokens;
  }());
  return tokenizer;
}

std::string text_of(const token_stream& s) {
  return letters().decode(std::vector<std::int32_t>(s.tokens, s.tokens + s.size));
}

/// Forty letters, another row of them for every seed.
std::string row(std::uint32_t seed) {
  std::string text;
  for (std::uint32_t i = 0; i < 40; ++i) {
    text += static_cast<char>('a' + random_bits(seed, i) % 26);
    text += ' ';
  }
  return text;
}

corpus_source all_of(const std::vector<std::string>& files) {
  corpus_source source;
  source.files = files;
  source.held_out_every = 0;
  return source;
}

}  // namespace

TEST_CASE("cut_documents: blocks of lines, whatever separates them") {
  const auto documents = cut_documents("f", "\xEF\xBB\xBF\n\n one \r\ntwo\n \t\nthree\n\n\n");
  CHECK(documents == std::vector<corpus_document>{{"one", "two"}, {"three"}});
}

TEST_CASE("cut_documents: what is no text is refused with its line") {
  using pair = std::pair<std::string, const char*>;
  for (const auto& [text, message] :
       {pair(std::string("one\n\ntwo\0\n", 10), "f:3: holds the byte 0"),
        pair("one\n\x1b[0m\n", "f:2: holds the byte 27"), pair("one\nt\xC3(\n", "f:2: is not valid UTF-8 at byte 2"),
        pair(" \n\n", "f: holds no text"),
        pair("a\n" + std::string(longest_corpus_line + 1, 'a'), "f:2: the line has 1000001 bytes")}) {
    CHECK_THROWS_WITH(cut_documents("f", text), Contains(message));
  }
  CHECK_NOTHROW(cut_documents("f", std::string(longest_corpus_line, 'a')));
}

TEST_CASE("cut_documents: text in another normal form is told of once") {
  std::string log;
  cut_documents("f", "caf\u00e9\n\u201cyes\u201d\ncafe\u0301\nto\u0301\n",
                [&](const std::string& m) { log += m + "\n"; });
  CHECK_THAT(log, Contains("f:3: warning"));
  CHECK(std::count(log.begin(), log.end(), '\n') == 1);
}

TEST_CASE("corpus_files: files as they are, folders by name") {
  const temp_folder folder;
  folder.write("b.txt", "b");
  folder.write("a.txt.gz", "a");
  folder.write("c.tsv", "c");
  const std::string alone = folder.file("c.tsv");
  CHECK(corpus_files({alone, folder.path()}) ==
        std::vector<std::string>{alone, folder.file("a.txt.gz"), folder.file("b.txt")});
  CHECK_THROWS_WITH(corpus_files({folder.file("absent")}), Contains("does not exist"));
  const temp_folder empty;
  CHECK_THROWS_WITH(corpus_files({empty.path()}), Contains("holds no .txt"));
}

TEST_CASE("duplicate_finder: repeated, nearly repeated and other documents") {
  const auto document = [](std::uint32_t seed, std::size_t size) {
    std::vector<std::uint16_t> out;
    for (std::uint32_t i = 0; i < size; ++i) out.push_back(static_cast<std::uint16_t>(random_bits(seed, i)));
    return out;
  };
  duplicate_finder finder;
  CHECK(finder.add(document(1, 500)) == repetition::none);
  CHECK(finder.add(document(2, 500)) == repetition::none);
  CHECK(finder.add(document(1, 500)) == repetition::exact);
  std::vector<std::uint16_t> changed = document(2, 500);
  changed[100] = 3;
  CHECK(finder.add(changed) == repetition::near);
  std::vector<std::uint16_t> half = document(2, 500);
  const std::vector<std::uint16_t> other = document(3, 250);
  std::copy(other.begin(), other.end(), half.begin());
  CHECK(finder.add(half) == repetition::none);
  CHECK(finder.add(document(4, 20)) == repetition::none);
  CHECK(finder.add(document(4, 20)) == repetition::exact);
  const auto line = document(5, 8);
  CHECK_FALSE(finder.add_line(line.data(), 8));
  CHECK(finder.add_line(line.data(), 8));
  CHECK_FALSE(finder.add_line(line.data(), 7));
  CHECK_FALSE(finder.add_line(line.data(), 7));
}

TEST_CASE("pack_corpus: documents with [SEP] between them, the same for any number of threads") {
  const temp_folder folder;
  const std::string plain = folder.write("a.txt", "a b\nc\n\nd ?\n");
  const std::string packed = folder.write("b.txt.gz", gzip("e\n"));
  const packed_corpus corpus = pack_corpus(folder.file("one"), all_of({plain, packed}), letters(), {});
  CHECK(text_of(corpus.training()) == "a b c [SEP] d [UNK] [SEP] e [SEP]");
  CHECK(corpus.held_out().size == 0);
  REQUIRE(corpus.documents() == 3);
  CHECK(text_of(corpus.document(1)) == "d [UNK] [SEP]");
  CHECK(corpus.report().lines == 4);
  CHECK(corpus.report().tokens == 6);
  CHECK(corpus.report().unknown_tokens == 1);
  const packed_corpus again = pack_corpus(folder.file("two"), all_of({plain, packed}), letters(), thread_executor(3));
  const std::string name = "/corpus-" + corpus.key() + ".safetensors";
  CHECK(read_file(folder.file("one") + name) == read_file(folder.file("two") + name));
}

TEST_CASE("pack_corpus: repeated documents are left out, and held-out text comes first") {
  const temp_folder folder;
  std::string text;
  for (std::uint32_t i = 0; i < 6; ++i) text += row(i) + "\n\n";
  const std::string file = folder.write("a.txt", text + row(2) + "\n");
  const packed_corpus once = pack_corpus(folder.path(), all_of({file}), letters(), {});
  CHECK(once.report().exact_duplicates == 1);
  CHECK(once.report().repeated_lines == 1);
  CHECK(once.documents() == 6);
  corpus_source source = all_of({file});
  source.keeps_duplicates = true;
  CHECK(pack_corpus(folder.path(), source, letters(), {}).documents() == 7);

  source = all_of({file});
  source.held_out = {folder.write("held.txt", row(4) + "\n\n" + row(9) + "\n")};
  const packed_corpus apart = pack_corpus(folder.path(), source, letters(), {});
  CHECK(apart.report().held_out_documents == 2);
  CHECK(apart.report().exact_duplicates == 2);
  CHECK(apart.documents() == 7);
  CHECK(apart.held_out().size == 2 * 41);
  CHECK(text_of(apart.training()).find(text_of(apart.document(5))) == std::string::npos);

  source = all_of({file});
  source.held_out_every = 3;
  const packed_corpus split = pack_corpus(folder.path(), source, letters(), {});
  CHECK(split.report().held_out_documents == 2);
  CHECK(text_of(split.document(4)) == text_of(once.document(2)));
  CHECK(text_of(split.document(5)) == text_of(once.document(5)));
}

TEST_CASE("pack_corpus: made once, anew for other text, another vocabulary and damage") {
  const temp_folder folder;
  const std::string file = folder.write("a.txt", "a b c\n");
  std::string log;
  const log_sink sink = [&](const std::string& m) { log += m + "\n"; };
  const std::string key = pack_corpus(folder.path(), all_of({file}), letters(), {}, sink).key();
  CHECK_THAT(log, Contains("tokenized"));
  log.clear();
  CHECK(pack_corpus(folder.path(), all_of({file}), letters(), {}, sink).key() == key);
  CHECK(log.empty());
  const std::string path = folder.file("corpus-" + key + ".safetensors");
  std::string content = read_file(path);
  content[content.size() - 2] ^= 1;
  write_file_atomically(path, content);
  CHECK(text_of(pack_corpus(folder.path(), all_of({file}), letters(), {}, sink).training()) == "a b c [SEP]");
  CHECK_THAT(log, Contains("is damaged"));
  folder.write("a.txt", "a b d\n");
  CHECK(pack_corpus(folder.path(), all_of({file}), letters(), {}).key() != key);
  folder.write("a.txt", "a b c\n");
  wordpiece_options cased;
  cased.lower_case = false;
  std::vector<std::string> tokens;
  for (index_t id = 0; id < letters().size(); ++id) tokens.push_back(letters().token(static_cast<std::int32_t>(id)));
  CHECK(pack_corpus(folder.path(), all_of({file}), wordpiece(tokens, cased), {}).key() != key);
  tokens.resize(65537, "x");
  CHECK_THROWS_WITH(pack_corpus(folder.path(), all_of({file}), wordpiece(tokens), {}), Contains("65536"));
}

TEST_CASE("packed_corpus: a file that contradicts itself is refused, whatever its checksum says") {
  const temp_folder folder;
  const std::string path = folder.file("c.safetensors");
  const std::vector<std::uint16_t> tokens{5, 6, 3, 7, 3};
  const auto refusal = [&](const std::vector<std::int64_t>& ends, const std::string& report) {
    safetensors_writer writer;
    writer.metadata("key", "k");
    writer.metadata("vocabulary", "v");
    writer.metadata("report", report);
    writer.metadata("checksum",
                    packed_corpus::checksum(tokens.data(), 5, ends.data(), static_cast<index_t>(ends.size()), report));
    writer.add("tokens", dtype::u16, {tokens.size()}, tokens.data());
    writer.add("document_ends", dtype::i64, {ends.size()}, ends.data());
    writer.write(path);
    try {
      packed_corpus(path, "k");
    } catch (const file_error& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  const auto report_of = [](index_t training, index_t held_out) {
    corpus_report r;
    r.training_tokens = training;
    r.held_out_tokens = held_out;
    return to_json(r).dump();
  };
  CHECK(refusal({3, 5}, report_of(3, 2)) == "accepted");
  CHECK_THAT(refusal({3, 5}, report_of(3, 3)), Contains("do not add up"));
  CHECK_THAT(refusal({3, 5}, report_of(9, 0)), Contains("do not add up"));
  CHECK_THAT(refusal({5, 3}, report_of(3, 2)), Contains("do not add up"));
  CHECK_THAT(refusal({3, 9}, report_of(3, 2)), Contains("do not add up"));
  CHECK_THAT(refusal({}, report_of(3, 2)), Contains("do not add up"));
  CHECK_THAT(refusal({3, 5}, report_of(-1, 6)), Contains("no number of training_tokens"));
  CHECK_THAT(refusal({3, 5}, "{}"), Contains("no number of documents"));
  CHECK_THAT(refusal({3, 5}, "{"), Contains("c.safetensors"));
}

TEST_CASE("count_tokens: ids outside the vocabulary are refused") {
  const std::vector<std::uint16_t> tokens{1, 0, 1, 2};
  CHECK(count_tokens(tokens.data(), 4, 3) == std::vector<index_t>{1, 2, 1});
  CHECK_THROWS_WITH(count_tokens(tokens.data(), 4, 2), Contains("token 3 of the corpus is 2"));
}
