// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "common/glue_reader.hpp"

// Any bytes: either file_error, or a table of the announced size with labels in range.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace inhibitor;
  const std::string content(reinterpret_cast<const char*>(bytes), size);
  try {
    tsv_table table("fuzz", content);
    const tsv_table moved = std::move(table);
    std::size_t fields = 0;
    for (index_t row = -1; row < moved.rows(); ++row) {
      for (index_t column = 0; column < moved.columns(); ++column) fields += moved.field(row, column).size();
    }
    if (fields > size) std::abort();
    const auto sentences = sst2_sentences(moved);
    if (static_cast<index_t>(sentences.size()) != moved.rows()) std::abort();
    for (const auto& sentence : sentences) {
      if (sentence.label < -1 || sentence.label > 1) std::abort();
    }
  } catch (const file_error&) {
  }
  return 0;
}
