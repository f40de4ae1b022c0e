// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inhibitor/base/file_error.hpp"
#include "inhibitor/data/label_names.hpp"
#include "inhibitor/data/label_set.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Examples as a file spells them, before labels are understood. Arrays have one entry per example.
struct raw_examples {
  std::string file;                 ///< for messages
  std::string columns;              ///< names of its columns, for messages
  std::vector<std::string> first;   ///< (n)
  std::vector<std::string> second;  ///< (n), empty for tasks of one text
  std::vector<std::string> labels;  ///< (n), empty where the file has none
  std::vector<index_t> lines;       ///< (n) line in the file; empty: none to tell
  index_t skipped = 0;              ///< rows left out

  index_t size() const { return static_cast<index_t>(first.size()); }
};

/// One or two texts per example, each with a class or a score.
struct labeled_examples {
  std::vector<std::string> first;    ///< (n)
  std::vector<std::string> second;   ///< (n), empty for tasks of one text
  std::vector<std::int32_t> labels;  ///< (n) class, -1: none; empty for a regression
  std::vector<float> scores;         ///< (n) score, NaN: none; empty for classes

  index_t size() const { return static_cast<index_t>(first.size()); }

  /// Keeps the first `count` examples at most.
  void truncate(index_t count) {
    const auto most = static_cast<std::size_t>(count);
    const auto cut = [&](auto& values) {
      if (values.size() > most) values.resize(most);
    };
    cut(first);
    cut(second);
    cut(labels);
    cut(scores);
  }
};

/// True when every example has its class or score.
template <class Examples>
bool is_labeled(const Examples& e) {
  return std::none_of(e.labels.begin(), e.labels.end(), [](std::int32_t label) { return label < 0; }) &&
         std::none_of(e.scores.begin(), e.scores.end(), [](float score) { return std::isnan(score); });
}

/// A decimal number, the same in every locale; NaN when `text` is anything else or not finite.
inline double parse_number(std::string_view text) {
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = result.ec == std::errc() && result.ptr == text.data() + text.size() && std::isfinite(value);
  return is_number ? value : std::numeric_limits<double>::quiet_NaN();
}

namespace detail {

/// The class written as `written`, by name, else by number, else by name but for case; -1 for "-1", which exports use
/// for "none"; -2: neither.
inline std::int32_t class_of(const std::string& written, const std::vector<std::string>& names) {
  if (const index_t same = find_exact_label(names, written); same >= 0) return static_cast<std::int32_t>(same);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::to_string(i) == written) return static_cast<std::int32_t>(i);
  }
  if (written == "-1") return -1;
  const index_t like = find_label(names, written);
  return like >= 0 ? static_cast<std::int32_t>(like) : -2;
}

inline std::string expected_labels(const label_set& set) {
  constexpr std::size_t most = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(set.names.size(), most); ++i) {
    text += (i == 0 ? "" : i + 1 == set.names.size() ? " or " : ", ") + std::to_string(i) + " (" + set.names[i] + ")";
  }
  return text + (set.names.size() > most ? ", ..." : "");
}

}  // namespace detail

/// The rows with their labels understood: classes by name or by number in the order of `set`, scores as numbers. Throws
/// file_error with the line for a label that is neither, or a score outside the set's range.
inline labeled_examples understand_labels(raw_examples rows, const label_set& set) {
  labeled_examples out;
  out.first = std::move(rows.first);
  out.second = std::move(rows.second);
  const std::size_t count = out.first.size();
  const auto refuse = [&](std::size_t i, const char* what, const std::string& expected) {
    throw file_error(rows.file, rows.lines[i],
                     std::string("found the ") + what + " \"" + rows.labels[i] + "\"; expected " + expected);
  };
  if (set.is_regression) {
    out.scores.assign(count, std::numeric_limits<float>::quiet_NaN());
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
      const double score = parse_number(rows.labels[i]);
      if (!(std::abs(score) <= std::numeric_limits<float>::max())) refuse(i, "score", "a number");
      if (score < set.lowest || score > set.highest) {
        refuse(i, "score",
               "a number from " + std::to_string(static_cast<int>(set.lowest)) + " to " +
                   std::to_string(static_cast<int>(set.highest)));
      }
      out.scores[i] = static_cast<float>(score);
    }
    return out;
  }
  out.labels.assign(count, -1);
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    out.labels[i] = detail::class_of(rows.labels[i], set.names);
    if (out.labels[i] < -1) refuse(i, "label", detail::expected_labels(set));
  }
  return out;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
