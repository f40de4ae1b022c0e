// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "inhibitor/base/file_error.hpp"
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
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (descriptor_ < 0) fail("cannot be written");
  }
  metrics_log(const metrics_log&) = delete;
  metrics_log& operator=(const metrics_log&) = delete;
  ~metrics_log() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  /// Appends a line. Throws file_error.
  void write(const nlohmann::ordered_json& record) {
    if (descriptor_ < 0) return;
    const std::string line = record.dump() + "\n";
    if (::write(descriptor_, line.data(), line.size()) != static_cast<::ssize_t>(line.size())) fail("writing failed");
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw file_error(path_, std::string(what) + " (" + std::strerror(errno) + ")");
  }

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
  int descriptor_ = -1;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
