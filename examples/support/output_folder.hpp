// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/base/read_file.hpp"
#include "inhibitor/io/atomic_file.hpp"

// What every job does with the folder it writes into.

namespace inhibitor::examples {

/// The command line as text, the program by its name; --resume is left out, so that a resumed job has the command that
/// it was begun with.
inline std::string command_text(const std::string& program, const std::vector<std::string>& arguments) {
  std::string text = program;
  for (const std::string& word : arguments) {
    if (word != "--resume") text += " " + word;
  }
  return text;
}

/// Throws std::invalid_argument where a job would mix with another in `folder`, whose unfinished jobs have the file `marker`.
inline void refuse_other_job(const std::string& folder, const char* marker, bool resume) {
  const bool is_begun = std::filesystem::exists(folder + "/" + marker);
  check(resume || !is_begun, [&] { return folder + " holds an unfinished job; add --resume or choose another --out"; });
  check(resume || !std::filesystem::exists(folder + "/results.json"),
        [&] { return folder + " holds the results of another job; choose another --out"; });
  check(!resume || is_begun,
        [&] { return folder + " holds no unfinished job to resume (no " + std::string(marker) + ")"; });
}

/// Begins or goes on with a job in `folder`, which exists: removes what a killed program left half-written, and keeps
/// the command the job was begun with in command.txt, whose content it returns.
inline std::string begin_job(const std::string& folder, const std::string& command, bool resume) {
  remove_temporaries(folder);
  const std::string file = folder + "/command.txt";
  if (!resume || !std::filesystem::exists(file)) write_file_atomically(file, command + "\n");
  std::string first = read_file(file);
  while (!first.empty() && first.back() == '\n') first.pop_back();
  return first;
}

}  // namespace inhibitor::examples
