// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "inhibitor/data/custom_reader.hpp"

// A user's own data. The first byte chooses the format, the rest is the file: either file_error, or rows whose labels
// fit what was inferred from them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace inhibitor;
  if (size == 0) return 0;
  std::string content(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const auto require = [](bool condition) {
    if (!condition) std::abort();
  };
  try {
    if (bytes[0] == 'g') content = gunzip("fuzz", content, 1 << 20);
    const text_table table = bytes[0] == 'j'   ? read_json_rows("fuzz", content)
                             : bytes[0] == 't' ? read_tsv("fuzz", content)
                                               : read_csv("fuzz", content);
    for (index_t row = 1; row < table.rows(); ++row) require(table.line(row) >= table.line(row - 1));
    const raw_examples rows = custom_rows(table);
    require(rows.size() == table.rows() - 1);
    const label_set labels = infer_labels(rows);
    const labeled_examples examples = understand_labels(rows, labels);
    require(labels.is_regression == examples.labels.empty());
    require(is_labeled(examples));
  } catch (const file_error&) {
  }
  return 0;
}
