// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "inhibitor/data/glue_reader.hpp"

// Any bytes as a file of every known task: either file_error, or as many examples as rows that were not left out, with
// labels and scores in range.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace inhibitor;
  const std::string content(reinterpret_cast<const char*>(bytes), size);
  const auto require = [](bool condition) {
    if (!condition) std::abort();
  };
  try {
    text_table table = read_tsv("fuzz", content);
    const text_table moved = std::move(table);
    std::size_t fields = 0;
    for (index_t row = 0; row < moved.rows(); ++row) {
      require(moved.columns(row) > 0);
      for (index_t column = 0; column < moved.columns(row); ++column) fields += moved.field(row, column).size();
    }
    require(fields <= size);
    for (const task_info& task : known_tasks()) {
      try {
        raw_examples rows = task_rows(task, moved);
        const index_t count = rows.size();
        require(count > 0 && count + rows.skipped <= moved.rows());
        const labeled_examples examples = understand_labels(std::move(rows), task.labels);
        require(examples.size() == count && (examples.second.empty() || task.is_pair()));
        for (const std::int32_t label : examples.labels) require(label >= -1 && label < task.labels.outputs());
        for (const float score : examples.scores) require(std::isnan(score) || (score >= 0 && score <= 5));
      } catch (const file_error&) {
      }
    }
  } catch (const file_error&) {
  }
  return 0;
}
