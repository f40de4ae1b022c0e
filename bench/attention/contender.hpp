// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "attention/problem.hpp"

namespace inhibitor {
namespace bench {

/// One way to compute attention on given inputs. Whatever can be done once per model or shape happens in the
/// constructor; run() does what has to be done for every call.
class contender {
 public:
  contender() = default;
  contender(const contender&) = delete;
  contender& operator=(const contender&) = delete;
  virtual ~contender() = default;

  virtual void run() = 0;
  /// Sets gradients to zero; run() adds to them.
  virtual void clear() {}
  /// Forward: out (B, H, L, D). Backward: dq, dk, dv of the last head alone, one after the other.
  virtual std::vector<double> result() const = 0;
  virtual index_t workspace_bytes() const = 0;
  /// What was chosen: block sizes, the library's implementation.
  virtual std::string details() const { return {}; }
};

/// Where a contender's result must lie: error is the root mean square of the difference over that of the reference.
enum class exactness {
  float64,  ///< 1e-9
  float32,  ///< 1e-3: sums of thousands of values that cancel
  bytes     ///< stated, and at most 0.5: a wrong layout gives more than 1
};

struct contender_entry {
  std::string name, type, isa;
  bool is_softmax = false;
  exactness limit = exactness::float32;
  std::function<bool(const problem&)> takes;
  std::function<std::unique_ptr<contender>(const inputs&)> make;
};

struct contender_list {
  std::vector<contender_entry> entries;
  /// What the report must say about libraries: (name, version and settings, or "absent").
  std::vector<std::pair<std::string, std::string>> notes;
};

void add_own_f32(contender_list& list);
void add_own_f64(contender_list& list);
void add_own_u8(contender_list& list);
void add_broadcast(contender_list& list);
void add_eigen(contender_list& list);
void add_openblas(contender_list& list);
void add_onednn(contender_list& list);

/// The best of some settings by the shortest of a few runs each, for contenders with a block size to choose.
template <class Setting, class Try>
Setting best_setting(const std::vector<Setting>& settings, Try&& seconds_of) {
  Setting best = settings.front();
  double shortest = 1e300;
  for (const Setting& setting : settings) {
    const double seconds = settings.size() > 1 ? seconds_of(setting) : 0.0;
    if (seconds < shortest) shortest = seconds, best = setting;
  }
  return best;
}

/// Shortest time of three to twenty calls of `run` after a first one, about 0.06 seconds in total.
double shortest_seconds(const std::function<void()>& run);

/// Result of the scalar reference in double precision, in the form of contender::result(), for some rows of the first
/// and last head (forward) or the whole last head (backward), and the error of `got` against it.
double error_against_reference(const inputs& in, bool is_softmax, const std::vector<double>& got);

}  // namespace bench
}  // namespace inhibitor
