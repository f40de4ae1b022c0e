// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "inhibitor/base/file_error.hpp"
#include "inhibitor/base/read_file.hpp"
#include "inhibitor/io/append_file.hpp"
#include "inhibitor/io/atomic_file.hpp"
#include "inhibitor/io/json_file.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A metrics.jsonl: one JSON object per line, each with a "step", in rising order. A line is in the file when `write`
/// returns; resumed, the file is cut back to the step that training goes on from, so that it tells one story.
class metrics_log {
 public:
  metrics_log() = default;
  /// Opens `path` (empty: nothing is written), keeping the lines of the first `steps` steps. Throws file_error when
  /// the file cannot be written, or ends before that step.
  metrics_log(const std::string& path, index_t steps) : path_(path) {
    if (path.empty()) return;
    std::string kept;
    if (steps > 0) kept = lines_up_to(steps);
    write_file_atomically(path_, kept);
    file_ = append_file(path_);
  }

  /// Appends a line. Throws file_error.
  void write(const nlohmann::ordered_json& record) const {
    if (file_.is_open()) file_.append(record.dump() + "\n");
  }

 private:
  std::string lines_up_to(index_t steps) const {
    const std::string content = read_file(path_);
    index_t last = 0, number = 0;
    std::size_t begin = 0;
    while (true) {
      const std::size_t end = content.find('\n', begin);
      if (end == std::string::npos) break;  // the last line may be half written
      ++number;
      const nlohmann::json record = parse_json(content.substr(begin, end - begin), path_);
      const auto step = record.find("step");
      if (step == record.end() || !step->is_number_integer()) throw file_error(path_, number, "has no \"step\"");
      if (*step > steps) break;
      last = *step;
      begin = end + 1;
    }
    if (last != steps) {
      throw file_error(path_, "ends at step " + std::to_string(last) + "; the checkpoint beside it is of step " +
                                  std::to_string(steps));
    }
    return content.substr(0, begin);
  }

  std::string path_;
  append_file file_;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
