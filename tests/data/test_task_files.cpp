// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/data/task_files.hpp"

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using strings = std::vector<std::string>;

namespace {

using use = task_split::use;

const task_split& split_of(const task_info& task, use purpose, const std::string& suffix = "") {
  for (const task_split& split : task.splits) {
    if (split.purpose == purpose && split.suffix == suffix) return split;
  }
  throw std::invalid_argument("no such split");
}

raw_examples read(const std::string& name, const std::string& folder, use purpose, const std::string& suffix = "") {
  const task_info& task = find_task(name);
  const task_split& split = split_of(task, purpose, suffix);
  return read_split(task, split, folder, find_split(task, split, folder));
}

std::string refusal(const std::string& name, const std::string& folder, use purpose) {
  try {
    read(name, folder, purpose);
  } catch (const file_error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("find_task_folder: by the folder's name, in the usual spellings") {
  const test::temp_folder data;
  CHECK(find_task_folder(find_task("sst2"), data.path()).empty());
  std::filesystem::create_directory(data.file("SST-2"));
  CHECK(find_task_folder(find_task("sst2"), data.path()).empty());  // holds nothing of the task
  data.write("SST-2/dev.tsv", "sentence\tlabel\na\t1\n");
  CHECK(find_task_folder(find_task("sst2"), data.path()) == data.file("SST-2"));
  CHECK(find_task_folder(find_task("sst2"), data.file("SST-2")) == data.file("SST-2"));
  CHECK(find_task_folder(find_task("sst2"), data.file("SST-2/")) == data.file("SST-2/"));
  CHECK(find_task_folder(find_task("cola"), data.file("SST-2")).empty());
  std::filesystem::create_directory(data.file("stsb"));
  data.write("stsb/validation.jsonl", "{}");
  CHECK(find_task_folder(find_task("stsb"), data.path()) == data.file("stsb"));
  std::filesystem::create_directory(data.file("diagnostic"));
  data.write("diagnostic/diagnostic.tsv", "");
  CHECK(find_task_folder(find_task("ax"), data.path()) == data.file("diagnostic"));
  CHECK_THROWS_AS(find_task_folder(find_task("ax"), data.file("absent")), file_error);
}

TEST_CASE("find_split: MNLI's two dev sets are told apart") {
  const test::temp_folder data;
  data.write("dev_mismatched.tsv", "");
  data.write("validation_matched.json", "");
  const task_info& task = find_task("mnli");
  CHECK(find_split(task, split_of(task, use::validation), data.path()) == data.file("validation_matched.json"));
  CHECK(find_split(task, split_of(task, use::validation, "-mm"), data.path()) == data.file("dev_mismatched.tsv"));
  CHECK(find_split(task, split_of(task, use::train), data.path()).empty());
}

TEST_CASE("read_split: MRPC from the corpus's own two files and the list of dev ids") {
  const test::temp_folder data;
  const std::string header = "\xEF\xBB\xBFQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n";
  data.write("msr_paraphrase_train.txt", header + "1\t1\t2\ta \"quote\tb\r\n0\t3\t4\tc\td\r\n1\t5\t6\te\tf\r\n");
  data.write("msr_paraphrase_test.txt", header + "0\t7\t8\tg\th\r\n");
  const task_info& task = find_task("mrpc");
  CHECK(read("mrpc", data.path(), use::train).size() == 3);
  CHECK(find_split(task, split_of(task, use::validation), data.path()).empty());  // nothing says which rows are dev
  data.write("mrpc_dev_ids.tsv", "3\t4\n");
  const raw_examples train = read("mrpc", data.path(), use::train);
  CHECK(train.first == strings{"a \"quote", "e"});
  CHECK(train.labels == strings{"1", "1"});
  const raw_examples dev = read("mrpc", data.path(), use::validation);
  CHECK(dev.first == strings{"c"});
  CHECK(dev.lines == std::vector<index_t>{3});
  CHECK(read("mrpc", data.path(), use::test).second == strings{"h"});
  data.write("mrpc_dev_ids.tsv", "3 4\n");
  CHECK_THAT(refusal("mrpc", data.path(), use::train), contains_text("mrpc_dev_ids.tsv:1: expected two ids"));
}

TEST_CASE("read_review_folder: numeric order of ids, balanced, line breaks and tags kept") {
  const test::temp_folder data;
  for (const char* folder : {"train", "train/pos", "train/neg"}) std::filesystem::create_directory(data.file(folder));
  data.write("train/pos/10_7.txt", "ten");
  data.write("train/pos/9_10.txt", "nine<br />\nmore");
  data.write("train/neg/9_1.txt", "bad");
  data.write("train/neg/100_4.txt", "worse");
  data.write("train/neg/notes.txt", "no review");
  data.write("train/neg/5_1.bak", "no review");
  const raw_examples rows = read("imdb", data.path(), use::train);
  CHECK(rows.first == strings{"bad", "nine<br />\nmore", "ten", "worse"});
  CHECK(rows.labels == strings{"neg", "pos", "pos", "neg"});
  CHECK(understand_labels(rows, find_task("imdb").labels).labels == std::vector<std::int32_t>{0, 1, 1, 0});
  std::filesystem::remove(data.file("train/neg/9_1.txt"));
  std::filesystem::remove(data.file("train/neg/100_4.txt"));
  CHECK_THAT(refusal("imdb", data.path(), use::train), contains_text("train/neg: holds no review"));
}

TEST_CASE("read_split: the real files have their published row counts") {
  const char* shared = std::getenv("INHIBITOR_SHARED_DATA");
  if (shared == nullptr) {
    std::cout << "skipped: INHIBITOR_SHARED_DATA is not set\n";
    return;
  }
  struct expected {
    const char* data;
    const char* task;
    use purpose;
    index_t rows;
    std::vector<index_t> classes;  ///< how many of each; empty: not labeled, or a score
  };
  const std::vector<expected> table{
      {"glue", "cola", use::train, 8551, {2528, 6023}},
      {"glue", "cola", use::validation, 1043, {322, 721}},
      {"glue", "cola", use::test, 1063, {}},
      {"glue", "sst2", use::train, 67349, {29780, 37569}},
      {"glue", "sst2", use::validation, 872, {428, 444}},
      {"glue", "sst2", use::test, 1821, {}},
      {"glue", "stsb", use::train, 5749, {}},
      {"glue", "stsb", use::validation, 1500, {}},
      {"glue", "stsb", use::test, 1379, {}},
      {"glue", "wnli", use::train, 635, {323, 312}},
      {"glue", "wnli", use::validation, 71, {40, 31}},
      {"glue", "wnli", use::test, 146, {}},
      {"glue", "ax", use::test, 1104, {}},
      {"glue-partial", "qnli", use::train, 8999, {}},
      {"glue-partial", "qnli", use::validation, 5463, {2702, 2761}},
      {"glue-partial", "qnli", use::test, 5463, {}},
      {"glue-partial", "mnli", use::train, 8999, {}},
      {"glue-partial", "mnli", use::validation, 9815, {3479, 3123, 3213}},
      {"glue-partial", "qqp", use::train, 23497, {}},
      {"glue-partial", "qqp", use::validation, 8447, {}},
      {"imdb", "imdb", use::train, 25000, {12500, 12500}},
      {"imdb", "imdb", use::validation, 20000, {10000, 10000}},
      {"imdb/aclImdb-sample", "imdb", use::train, 50, {25, 25}},
      {"imdb/aclImdb-sample", "imdb", use::test, 50, {25, 25}},
  };
  for (const expected& e : table) {
    INFO(e.data << " " << e.task << " " << static_cast<int>(e.purpose));
    const task_info& task = find_task(e.task);
    const std::string data = std::string(shared) + "/" + e.data;
    const std::string found = find_task_folder(task, data);
    const raw_examples rows = read(e.task, found.empty() ? data : found, e.purpose);
    CHECK(rows.size() == e.rows);
    CHECK(rows.skipped == 0);
    CHECK(rows.second.empty() == !task.is_pair());
    const labeled_examples examples = understand_labels(rows, task.labels);
    CHECK(is_labeled(examples) == (e.purpose != use::test || task.name == "imdb"));
    for (std::size_t c = 0; c < e.classes.size(); ++c) {
      CHECK(std::count(examples.labels.begin(), examples.labels.end(), static_cast<std::int32_t>(c)) == e.classes[c]);
    }
  }
}
