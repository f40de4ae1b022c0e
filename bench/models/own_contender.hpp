// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "inhibitor/measure/time.hpp"
#include "inhibitor/nn/gemm_s8.hpp"
#include "models/contenders.hpp"

namespace inhibitor {
namespace bench {

/// This library's encoder with one product. Packed once and shared by all problems.
template <class Gemm>
class own_encoder : public model_contender {
 public:
  own_encoder(const encoder_tensors<float>& tensors, inference_options options) : model_(tensors, options) {}

  void prepare(const model_problem& problem) override {
    problem_ = problem;
    tokens_ = std::make_unique<model_tokens>(problem);
#if defined(_OPENMP)
    workers_ = problem.threads == 1 ? executor() : openmp_executor(problem.threads);
#endif
    call();
  }
  double run() override {
    const double from = seconds_now(problem_.threads);
    call();
    return seconds_now(problem_.threads) - from;
  }
  std::vector<float> result() override { return {hidden_, hidden_ + problem_.rows() * model_.config().dim}; }
  inference_profile profile() override {
    inference_profile profile;
    if (problem_.threads == 1) profile.clock = [] { return seconds_now(1); };
    model_.set_profile(&profile);
    call();
    model_.set_profile(nullptr);
    return profile;
  }

 private:
  void call() { hidden_ = model_.hidden(tokens_->packed(), workers_); }

  encoder_inference<float, Gemm> model_;
  model_problem problem_;
  std::unique_ptr<model_tokens> tokens_;
  executor workers_;
  const float* hidden_ = nullptr;
};

template <class Gemm>
model_entry own_entry(std::string name, const bench_models& models, const std::string& mixer,
                      inference_options options = {}) {
  const bool dot = mixer == "dot_product";
  const encoder_tensors<float>& tensors = dot ? models.dot : models.inhibitor;
  // Bytes round Q, K and V, or the input of every product, once per layer; on random weights that is a few percent of the
  // largest hidden state.
  const double tolerance = options.u8_attention || std::is_same_v<Gemm, s8_gemm> ? 0.1 : 1e-4;
  return {std::move(name), dot ? "dot" : "inhibitor", tolerance,
          [&tensors, options] { return std::make_unique<own_encoder<Gemm>>(tensors, options); }};
}

}  // namespace bench
}  // namespace inhibitor
