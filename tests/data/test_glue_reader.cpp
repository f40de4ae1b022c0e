// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/data/glue_reader.hpp"

#include <algorithm>
#include <clocale>
#include <string>

#include "support/catch.hpp"

using namespace inhibitor;
using strings = std::vector<std::string>;
using classes = std::vector<std::int32_t>;

namespace {

raw_examples rows_of(const std::string& task, const std::string& content) {
  return task_rows(find_task(task), read_tsv("x.tsv", content));
}
labeled_examples parse(const std::string& task, const std::string& content) {
  return understand_labels(rows_of(task, content), find_task(task).labels);
}

/// What a malformed table is refused with.
std::string refusal(const std::string& task, const std::string& content) {
  try {
    parse(task, content);
  } catch (const file_error& error) {
    return error.what();
  }
  return "accepted";
}

bool starts_with(const std::string& text, const std::string& start) { return text.rfind(start, 0) == 0; }

const std::string mnli_start =
    "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\t"
    "sentence1_parse\tsentence2_parse\tsentence1\tsentence2";

}  // namespace

TEST_CASE("known_tasks: names, labels in Hugging Face's order, submission files") {
  CHECK(task_names() == strings{"cola", "sst2", "mrpc", "qqp", "stsb", "mnli", "qnli", "rte", "wnli", "ax", "imdb"});
  CHECK(find_task("mnli").labels.names == strings{"entailment", "neutral", "contradiction"});
  CHECK(find_task("qnli").labels.names == strings{"entailment", "not_entailment"});
  CHECK(find_task("rte").labels.names == strings{"entailment", "not_entailment"});
  CHECK(find_task("wnli").labels.names == strings{"not_entailment", "entailment"});
  CHECK(find_task("stsb").labels.outputs() == 1);
  CHECK(find_task("mnli").labels.outputs() == 3);
  strings submissions;
  for (const task_info& task : known_tasks()) {
    for (const task_split& split : task.splits) {
      if (!split.submission.empty()) submissions.push_back(split.submission);
    }
  }
  CHECK(submissions ==
        strings{"CoLA", "SST-2", "MRPC", "QQP", "STS-B", "MNLI-m", "MNLI-mm", "QNLI", "RTE", "WNLI", "AX"});
  CHECK_THROWS_AS(find_task("sst"), std::invalid_argument);
}

TEST_CASE("task_rows: SST-2, with labels and without") {
  const auto train = parse("sst2", "sentence\tlabel\nhide new secretions \t0\na gem\t1\n");
  CHECK(train.first == strings{"hide new secretions ", "a gem"});  // blanks at the end stay
  CHECK(train.second.empty());
  CHECK(train.labels == classes{0, 1});
  const auto test = parse("sst2", "index\tsentence\n0\tuneasy mishmash\n1\tgood");
  CHECK(test.first == strings{"uneasy mishmash", "good"});
  CHECK(test.labels == classes{-1, -1});
  CHECK_FALSE(is_labeled(test));
}

TEST_CASE("task_rows: columns are found by name") {
  CHECK(parse("sst2", "id\tlabel\tsentence\n7\t1\tyes\n").first == strings{"yes"});
  // Exports from Hugging Face's datasets.
  const auto mnli = parse("mnli", "premise\thypothesis\tlabel\tidx\np\th\t2\t0\n");
  CHECK(mnli.first == strings{"p"});
  CHECK(mnli.second == strings{"h"});
  CHECK(mnli.labels == classes{2});
  CHECK(parse("cola", "sentence\tlabel\tidx\ns\t-1\t0\n").labels == classes{-1});
  CHECK(parse("mrpc", "sentence1\tsentence2\tlabel\na\tb\tequivalent\n").labels == classes{1});
}

TEST_CASE("trap 11: quotes are text") {
  const auto rows = parse("sst2", "sentence\tlabel\n\"unbalanced\t1\nso-called \"fun\"\t0\n\"\t1\n");
  CHECK(rows.first == strings{"\"unbalanced", "so-called \"fun\"", "\""});
}

TEST_CASE("trap 12: broken QQP rows are skipped and counted, but never in a test file") {
  const std::string header = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n";
  const raw_examples rows =
      rows_of("qqp", header + "0\t1\t2\ta\tb\t1\n1\t3\t4\tlost\n\n2\t5\t6\tc\td\t0\n3\t7\t8\te\tf\tg\t1\n");
  CHECK(rows.first == strings{"a", "c"});
  CHECK(rows.second == strings{"b", "d"});
  CHECK(rows.labels == strings{"1", "0"});
  CHECK(rows.lines == std::vector<index_t>{2, 5});
  CHECK(rows.skipped == 3);
  CHECK(starts_with(refusal("qqp", header + "1\t3\t4\tlost\n"), "x.tsv: holds no whole row"));
  CHECK(starts_with(refusal("qqp", "id\tquestion1\tquestion2\n0\ta\tb\n1\tlost\n"),
                    "x.tsv:3: found 2 columns; expected 3"));
}

TEST_CASE("trap 13: MNLI's label is the last of 12 or 16 columns") {
  const std::string filler = "0\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\tp\th\t";
  const auto train = parse("mnli", mnli_start + "\tlabel1\tgold_label\n" + filler + "neutral\tcontradiction\n");
  CHECK(train.first == strings{"p"});
  CHECK(train.second == strings{"h"});
  CHECK(train.labels == classes{2});
  const auto dev = parse("mnli", mnli_start + "\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label\n" + filler +
                                     "neutral\tneutral\tneutral\tneutral\tneutral\tentailment\n");
  CHECK(dev.labels == classes{0});
  CHECK(parse("mnli", mnli_start + "\n0\ta\tb\tc\td\te\tf\tg\tp\th\n").labels == classes{-1});
  const raw_examples disagreed =
      rows_of("mnli", mnli_start + "\tlabel1\tgold_label\n" + filler + "neutral\t-\n" + filler + "neutral\tneutral\n");
  CHECK(disagreed.size() == 1);
  CHECK(disagreed.skipped == 1);
}

TEST_CASE("trap 14: CoLA's labeled files have no header, its test file has one") {
  const auto train = parse("cola", "gj04\t1\t\tOur friends.\nc_13\t0\t*\tThem like.\n");
  CHECK(train.first == strings{"Our friends.", "Them like."});
  CHECK(train.labels == classes{1, 0});
  const auto test = parse("cola", "index\tsentence\n0\tBill whistled.\n");
  CHECK(test.first == strings{"Bill whistled."});
  CHECK(test.labels == classes{-1});
}

TEST_CASE("trap 15: MRPC's byte order mark does not hide its first column") {
  const auto rows =
      parse("mrpc", "\xEF\xBB\xBFQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t7\t8\ta\tb\r\n0\t9\t10\tc\td\r\n");
  CHECK(rows.first == strings{"a", "c"});
  CHECK(rows.second == strings{"b", "d"});
  CHECK(rows.labels == classes{1, 0});
  CHECK(parse("mrpc", "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t7\t8\ta\tb\n").labels == classes{-1});
}

TEST_CASE("trap 23: scores are read the same in every locale") {
  const std::string table = "index\tsentence1\tsentence2\tscore\n0\ta\tb\t3.250\n1\tc\td\t0.0\n2\te\tf\t5\n";
  const auto expected = parse("stsb", table).scores;
  CHECK(expected == std::vector<float>{3.25F, 0.0F, 5.0F});
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char* name : {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8"}) {
    if (std::setlocale(LC_ALL, name) == nullptr) continue;
    CHECK(parse("stsb", table).scores == expected);
  }
  std::setlocale(LC_ALL, before.c_str());
  CHECK(starts_with(refusal("stsb", "index\tsentence1\tsentence2\tscore\n0\ta\tb\t3,25\n"),
                    "x.tsv:2: found the score \"3,25\"; expected a number"));
}

TEST_CASE("understand_labels: words and digits, each task's own polarity") {
  const std::string header = "index\tsentence1\tsentence2\tlabel\n";
  CHECK(parse("rte", header + "0\ta\tb\tentailment\n1\ta\tb\tnot_entailment\n").labels == classes{0, 1});
  CHECK(parse("wnli", header + "0\ta\tb\t0\n1\ta\tb\t1\n2\ta\tb\tentailment\n").labels == classes{0, 1, 1});
  CHECK(parse("qnli", "index\tquestion\tsentence\tlabel\n0\ta\tb\tnot_entailment\n1\ta\tb\t0\n").labels ==
        classes{1, 0});
}

TEST_CASE("understand_labels: scores out of range") {
  const std::string header = "index\tsentence1\tsentence2\tscore\n0\ta\tb\t";
  CHECK(refusal("stsb", header + "5.001\n") == "x.tsv:2: found the score \"5.001\"; expected a number from 0 to 5");
  for (const char* score : {"-0.1", "", "nan", "inf", "1e999", "2 ", "entailment"}) {
    CHECK(
        starts_with(refusal("stsb", header + score + "\n"), "x.tsv:2: found the score \"" + std::string(score) + "\""));
  }
  CHECK(std::isnan(parse("stsb", "index\tsentence1\tsentence2\n0\ta\tb\n").scores.at(0)));
}

TEST_CASE("task_rows: refusals name file and line") {
  CHECK(starts_with(refusal("sst2", "sentence\tlabel\n"), "x.tsv: holds a header only"));
  CHECK(starts_with(refusal("sst2", "text\tlabel\na\t1\n"),
                    "x.tsv:1: found the columns \"text, label\"; expected \"sentence\" and \"label\""));
  CHECK(starts_with(refusal("sst2", "sentence\na\n"), "x.tsv:1: "));
  CHECK(starts_with(refusal("sst2", "sentence\tlabel\na\t1\nno label\n"), "x.tsv:3: found 1 columns; expected 2"));
  CHECK(starts_with(refusal("sst2", "sentence\tlabel\na\t1\tmore\n"), "x.tsv:2: found 3 columns; expected 2"));
  CHECK(starts_with(refusal("sst2", "sentence\tlabel\n\na\t1\n"), "x.tsv:2: found 1"));
  for (const char* label : {"2", "-2", "", " 1", "1.0", "Positiv", "11", "01"}) {
    CHECK(refusal("sst2", "sentence\tlabel\na\t1\nb\t" + std::string(label) + "\n") ==
          "x.tsv:3: found the label \"" + std::string(label) + "\"; expected 0 (negative) or 1 (positive)");
  }
  // The content of another task's folder: an old download script mixed up two of them.
  CHECK_THAT(refusal("stsb", "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n0\t1\t2\ta\tb\t1\n"),
             contains_text("these are columns of QQP"));
}
