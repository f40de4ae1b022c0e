// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "inhibitor/models/bert/model.hpp"
#include "inhibitor/models/bert/inference.hpp"

// Who takes part in bench_model: encoders with the same weights on the same tokens.

namespace inhibitor {
namespace bench {

struct model_problem {
  index_t batch = 1, length = 128;
  int threads = 1;

  index_t rows() const { return batch * length; }
  std::string name() const {
    return "batch " + std::to_string(batch) + ", length " + std::to_string(length) + ", " + std::to_string(threads) +
           (threads == 1 ? " thread" : " threads");
  }
};

/// Id of token i of sequence b: the same for everybody, in every language.
inline std::int32_t token_id(index_t b, index_t i) {
  return static_cast<std::int32_t>((i * 7919 + b * 31 + 5) % 30000);
}

/// The tokens of a problem.
struct model_tokens {
  std::vector<std::int32_t> ids;
  std::vector<index_t> starts{0};

  explicit model_tokens(const model_problem& p) {
    for (index_t b = 0; b < p.batch; ++b) {
      for (index_t i = 0; i < p.length; ++i) ids.push_back(token_id(b, i));
      starts.push_back(static_cast<index_t>(ids.size()));
    }
  }
  packed_tokens packed() const { return {ids.data(), nullptr, starts.data(), static_cast<index_t>(starts.size()) - 1}; }
};

/// One encoder on one problem after the other.
class model_contender {
 public:
  virtual ~model_contender() = default;
  /// Prepares for a problem: buffers, primitives, one call to warm up.
  virtual void prepare(const model_problem& problem) = 0;
  /// Seconds of one call: processor time of the calling thread where the problem has one thread, else wall time.
  virtual double run() = 0;
  /// Last hidden states (rows, C) of the last call.
  virtual std::vector<float> result() = 0;
  /// How it works, for the notes.
  virtual std::string details() { return {}; }
  /// Where the time of one call goes; all 0: cannot tell.
  virtual inference_profile profile() { return {}; }
};

struct model_entry {
  std::string name;       ///< "ours, dot product"
  std::string mechanism;  ///< "dot" or "inhibitor": whose result it is
  double tolerance;       ///< largest difference from the reference result, relative to its largest magnitude
  std::function<std::unique_ptr<model_contender>()> make;
};

/// The models that everybody runs: DistilBERT-base's sizes, random weights, each mechanism in all layers.
struct bench_models {
  encoder_tensors<float> dot, inhibitor;
};

// Each adds its entries, if it can take part; `notes` are lines about versions and settings.
void add_own(std::vector<model_entry>& entries, std::vector<std::string>& notes, const bench_models& models);
void add_own_libraries(std::vector<model_entry>& entries, std::vector<std::string>& notes, const bench_models& models);
void add_onednn_encoder(std::vector<model_entry>& entries, std::vector<std::string>& notes, const bench_models& models);
/// `python` runs `script`, models/pytorch_encoder.py.
void add_pytorch(std::vector<model_entry>& entries, std::vector<std::string>& notes, const bench_models& models,
                 const std::string& python, const std::string& script);

}  // namespace bench
}  // namespace inhibitor
