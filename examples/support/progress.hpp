// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "inhibitor/base/config.hpp"

namespace inhibitor::examples {

/// Seconds as "42 s", "3:05" or "1:02:03".
inline std::string format_duration(double seconds) {
  const auto s = static_cast<long>(seconds + 0.5);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

/// Progress of one long stage on stderr: one line that rewrites itself on a terminal, a plain line every ten seconds
/// otherwise.
class progress {
 public:
  /// `total` steps, of which `done` were made by an earlier run.
  progress(std::string label, index_t total, index_t done)
      : label_(std::move(label)),
        total_(total),
        first_(done),
        terminal_(::isatty(STDERR_FILENO) != 0),
        start_(clock::now()) {}

  /// Call after every step. `loss` is that step's; a running mean is shown.
  void step(index_t done, index_t examples, double loss) {
    examples_ += examples;
    mean_loss_ = started_ ? 0.98 * mean_loss_ + 0.02 * loss : loss;
    started_ = true;
    const auto now = clock::now();
    if (done < total_ && now - last_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10000)))
      return;
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double left = seconds / static_cast<double>(done - first_) * static_cast<double>(total_ - done);
    const std::string line =
        fmt::format("{}: step {}/{}  loss {:.4f}  {:.0f} examples/s  {} left", label_, done, total_, mean_loss_,
                    static_cast<double>(examples_) / seconds, format_duration(left));
    if (terminal_) {
      fmt::print(stderr, "\r\x1b[K{}{}", line, done == total_ ? "\n" : "");
    } else {
      fmt::print(stderr, "{}\n", line);
    }
    std::fflush(stderr);
  }

  double mean_loss() const { return mean_loss_; }

 private:
  using clock = std::chrono::steady_clock;
  std::string label_;
  index_t total_, first_, examples_ = 0;
  bool terminal_, started_ = false;
  double mean_loss_ = 0;
  clock::time_point start_, last_{};
};

}  // namespace inhibitor::examples
