// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/tsv.hpp"

namespace inhibitor {

/// A text with its class; label -1 where there is none (test splits).
struct labelled_sentence {
  std::string text;
  std::int32_t label;
};

/// Sentences of a table in the SST-2 layout: header `sentence label` with labels 0 (negative) and 1 (positive), or
/// `index sentence` without labels. Columns are found by name. Throws file_error, with the line, for a header without
/// those columns, a label that is neither 0 nor 1, and a table without rows. Allocates.
inline std::vector<labelled_sentence> sst2_sentences(const tsv_table& table) {
  const index_t text = table.find_column("sentence");
  const index_t label = table.find_column("label");
  if (text < 0 || (label < 0 && table.find_column("index") < 0)) {
    throw file_error(table.name(), 1,
                     "found the columns \"" + table.header() +
                         "\"; expected \"sentence\" and \"label\", or \"index\" and \"sentence\"");
  }
  if (table.rows() == 0) throw file_error(table.name(), "holds a header only; expected one example per line after it");
  std::vector<labelled_sentence> sentences;
  sentences.reserve(static_cast<std::size_t>(table.rows()));
  for (index_t row = 0; row < table.rows(); ++row) {
    std::int32_t value = -1;
    if (label >= 0) {
      const std::string_view written = table.field(row, label);
      if (written != "0" && written != "1") {
        throw file_error(table.name(), tsv_table::line(row),
                         "found the label \"" + std::string(written) + "\"; expected 0 (negative) or 1 (positive)");
      }
      value = written == "1" ? 1 : 0;
    }
    sentences.push_back({std::string(table.field(row, text)), value});
  }
  return sentences;
}

/// Reads an SST-2 `.tsv` file; see sst2_sentences and tsv_table for layout and errors.
inline std::vector<labelled_sentence> read_sst2(const std::string& file) {
  return sst2_sentences(tsv_table::read(file));
}

}  // namespace inhibitor
