// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "inhibitor/data/custom_reader.hpp"
#include "support/catch.hpp"

using namespace inhibitor;
using strings = std::vector<std::string>;

namespace {

raw_examples csv(const std::string& content) { return custom_rows(read_csv("x.csv", content)); }

template <class Action>
std::string refusal(Action&& action) {
  try {
    action();
  } catch (const file_error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("custom_rows: sentence1 and sentence2 by name, else the first one or two other columns") {
  const raw_examples named = csv("note,sentence2,label,sentence1\nn,b,x,a\n");
  CHECK(named.first == strings{"a"});
  CHECK(named.second == strings{"b"});
  CHECK(named.labels == strings{"x"});
  const raw_examples one = csv("label,text\nx,a\n");
  CHECK(one.first == strings{"a"});
  CHECK(one.second.empty());
  const raw_examples two = csv("idx,question,label,answer,source\n0,a,x,b,c\n");
  CHECK(two.first == strings{"a"});
  CHECK(two.second == strings{"b"});
  CHECK(csv("text\n\"a\nb\"\nc\n").lines == std::vector<index_t>{2, 4});
  CHECK(csv("text\na\n").labels.empty());
}

TEST_CASE("custom_rows: an index column of pandas is no text") {
  for (const char* name : {"", "Unnamed: 0", "Unnamed: 0.1", "__index_level_0__", "\"\""}) {
    INFO(name);
    const raw_examples rows = csv(std::string(name) + ",text,label\n0,a,x\n1,b,y\n");
    CHECK(rows.first == strings{"a", "b"});
    CHECK(rows.second.empty());
    CHECK(rows.labels == strings{"x", "y"});
  }
  CHECK(csv(",question,answer\n0,a,b\n").second == strings{"b"});
  CHECK_THAT(refusal([] { csv(",label\n0,x\n"); }), contains_text("x.csv:1: found the columns \", label\""));
}

TEST_CASE("custom_rows: refusals name the line") {
  CHECK_THAT(refusal([] { csv("label,idx\nx,1\n"); }), contains_text("x.csv:1: found the columns \"label, idx\""));
  CHECK_THAT(refusal([] { csv("text,label\na,x\nb\n"); }), contains_text("x.csv:3: found 1 columns; expected 2"));
  CHECK_THAT(refusal([] { csv("text,label\n"); }), contains_text("x.csv: holds a header only"));
}

TEST_CASE("infer_labels: classes sorted, integers by value, a point makes a regression") {
  const auto infer = [](const std::string& labels) { return infer_labels(csv("text,label\n" + labels)); };
  CHECK(infer("a,ham\nb,spam\nc,ham\n").names == strings{"ham", "spam"});
  CHECK(infer("a,10\nb,9\nc,-1\n").names == strings{"-1", "9", "10"});
  CHECK(infer("a,1.5\nb,x\n").names == strings{"1.5", "x"});
  for (const char* labels : {"a,1.0\nb,2\n", "a,1e-3\nb,2\n", "a,3\nb,0.25\n"}) {
    CHECK(infer(labels).is_regression);
    CHECK(infer(labels).outputs() == 1);
  }
  CHECK_THAT(refusal([&] { infer("a,x\nb,x\n"); }), contains_text("has the label \"x\" alone"));
  CHECK_THAT(refusal([&] { infer("a,x\nb,\n"); }), contains_text("x.csv:3: has an empty label"));
  CHECK_THAT(refusal([] { infer_labels(csv("text\na\n")); }),
             contains_text("x.csv:1: found the columns \"text\"; expected \"label\""));
}

TEST_CASE("infer_labels: numbers mean the classes of the model that is trained further") {
  const label_set known{{"negative", "positive"}};
  CHECK(infer_labels(csv("text,label\na,1\nb,0\n"), known).names == known.names);
  CHECK(infer_labels(csv("text,label\na,1\nb,2\n"), known).names == std::vector<std::string>{"1", "2"});
  CHECK(infer_labels(csv("text,label\na,0\nb,1\nc,2\n"), known).names.size() == 3);
  CHECK(infer_labels(csv("text,label\na,ham\nb,spam\n"), known).names == std::vector<std::string>{"ham", "spam"});
  CHECK(infer_labels(csv("text,label\na,0.0\nb,1.0\n"), known).is_regression);
  CHECK(infer_labels(csv("text,label\na,0.0\nb,1.0\n"), {}).is_regression);
  CHECK(infer_labels(csv("text,label\na,1\nb,0\n"), {}).names == std::vector<std::string>{"0", "1"});
}

TEST_CASE("understand_labels: names to the letter, then numbers, then names but for case") {
  const auto classes = [](const std::string& labels, const label_set& set) {
    return understand_labels(csv("text,label\n" + labels), set).labels;
  };
  using numbers = std::vector<std::int32_t>;
  CHECK(classes("a,us\nb,US\n", {{"US", "us"}}) == numbers{1, 0});
  CHECK(classes("a,Positive\nb,NEGATIVE\nc,1\n", {{"negative", "positive"}}) == numbers{1, 0, 1});
  CHECK(classes("a,1\nb,0\n", {{"1", "0"}}) == numbers{0, 1});
  CHECK_THAT(refusal([&] { classes("a,Us\n", {{"US", "us"}}); }), contains_text("x.csv:2: found the label \"Us\""));
  CHECK_THAT(refusal([&] { classes("a,negativ\n", {{"negative", "positive"}}); }), contains_text("\"negativ\""));
}

TEST_CASE("custom_task: metric and form follow the labels") {
  const label_set classes{{"ham", "spam"}};
  CHECK(custom_task(classes, true).is_pair());
  CHECK_FALSE(custom_task(classes, false).is_pair());
  CHECK(custom_task(classes, true).metric == metric_kind::accuracy);
  CHECK(custom_task({{}, true}, true).metric == metric_kind::mse);
  // A class that training did not have.
  raw_examples rows = csv("text,label\na,ham\nb,eggs\n");
  CHECK(refusal([&] { understand_labels(rows, classes); }) ==
        "x.csv:3: found the label \"eggs\"; expected 0 (ham) or 1 (spam)");
}
