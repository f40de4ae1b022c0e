// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "inhibitor/base/executor.hpp"

// AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) in the order Hugging Face runs it: decay first, bias-corrected
// moments, epsilon outside the root. Works on any model type that is one flat buffer with visit(name, tensor), such as
// encoder_tensors; parameters, gradients and both moments are that one type.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Hyper-parameters of one update. Defaults are those of Hugging Face's Trainer.
struct adamw_options {
  double learning_rate = 5e-5;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
};

/// A run of the flat buffer that the optimizer treats alike.
struct parameter_segment {
  index_t begin = 0, end = 0;
  bool decay = false;
  bool is_tied = false;  ///< its values are one parameter: one gradient, their sum, and one moment
};

/// Segments of the tensors for which trainable(name) holds; the others stay as they are. Biases, LayerNorm tensors and
/// the inhibitor's scalars, that is every tensor of rank 1, are not decayed. Tied tensors have segments of their own.
template <class Model, class Predicate>
std::vector<parameter_segment> trainable_segments(const Model& model, Predicate&& trainable) {
  std::vector<parameter_segment> segments;
  model.visit([&](const std::string& name, const auto& t) {
    if (!trainable(name)) return;
    const index_t begin = t.data - model.data();
    const bool decay = t.rank > 1;
    if (!segments.empty() && segments.back().end == begin && segments.back().decay == decay && !t.is_tied &&
        !segments.back().is_tied) {
      segments.back().end = begin + t.size();
    } else {
      segments.push_back({begin, begin + t.size(), decay, t.is_tied});
    }
  });
  return segments;
}

namespace detail {

/// Segments that are not tied are cut into pieces of at most this many values, the unit of parallel work and of the
/// norm's partial sums.
constexpr index_t optimizer_block = 16384;

inline std::vector<parameter_segment> cut_segments(const std::vector<parameter_segment>& segments) {
  std::vector<parameter_segment> pieces;
  for (const auto& s : segments) {
    if (s.is_tied) {
      pieces.push_back(s);
      continue;
    }
    for (index_t begin = s.begin; begin < s.end; begin += optimizer_block) {
      pieces.push_back({begin, std::min(s.end, begin + optimizer_block), s.decay, false});
    }
  }
  return pieces;
}

/// Sum of the squares of x (size), in double: the sum of eight interleaved partial sums, a form that compilers turn
/// into vector instructions.
template <class T>
double sum_of_squares(const T* x, index_t size) {
  double partial[8] = {};
  index_t i = 0;
  for (; i + 8 <= size; i += 8) {
    for (index_t l = 0; l < 8; ++l) {
      const auto value = static_cast<double>(x[i + l]);
      partial[l] += value * value;
    }
  }
  for (index_t l = 0; i + l < size; ++l) partial[l] += static_cast<double>(x[i + l]) * static_cast<double>(x[i + l]);
  double total = 0;
  for (const double p : partial) total += p;
  return total;
}

/// Sum of x (size), from the first on.
template <class T>
T sum_of(const T* x, index_t size) {
  T sum = 0;
  for (index_t i = 0; i < size; ++i) sum += x[i];
  return sum;
}

}  // namespace detail

/// The optimizer's state for one model: first and second moments and the step count.
template <class Model>
class adamw {
 public:
  /// Zero moments. `segments` come from trainable_segments(model, ...).
  adamw(const Model& model, const std::vector<parameter_segment>& segments)
      : first_moment(model), second_moment(model), pieces_(detail::cut_segments(segments)) {
    first_moment.fill_zero();
    second_moment.fill_zero();
  }

  Model first_moment, second_moment;
  index_t step = 0;  ///< updates made so far

  /// Global L2 norm of the trainable gradients, of tied values that of their sum. Partial sums are in double and in a
  /// fixed order.
  double gradient_norm(const Model& gradients, const executor& workers) const {
    std::vector<double> partial(pieces_.size());
    workers.for_each(static_cast<index_t>(pieces_.size()), [&](index_t i, index_t) {
      const auto& piece = pieces_[static_cast<std::size_t>(i)];
      const scalar tied = piece.is_tied ? detail::sum_of(gradients.data() + piece.begin, piece.end - piece.begin) : 0;
      partial[static_cast<std::size_t>(i)] =
          piece.is_tied ? detail::sum_of_squares(&tied, 1)
                        : detail::sum_of_squares(gradients.data() + piece.begin, piece.end - piece.begin);
    });
    double total = 0;
    for (double p : partial) total += p;
    return std::sqrt(total);
  }

  /// One update of `parameters`, in place. Gradients are first multiplied by max_norm / (norm + 1e-6) when their global
  /// norm exceeds max_norm (0: no clipping). Returns the norm before clipping. The trainable gradients are zero
  /// afterwards, ready for the next step: here they are in the cache, and clearing them costs next to nothing.
  double update(Model& parameters, Model& gradients, const adamw_options& o, double max_norm, const executor& workers) {
    const double norm = gradient_norm(gradients, workers);
    const double clip = max_norm > 0 && norm > max_norm ? max_norm / (norm + 1e-6) : 1;
    ++step;
    const double correction1 = 1 - std::pow(o.beta1, static_cast<double>(step));
    const double correction2 = 1 - std::pow(o.beta2, static_cast<double>(step));
    const auto b1 = static_cast<scalar>(o.beta1), b2 = static_cast<scalar>(o.beta2);
    const auto c1 = static_cast<scalar>((1 - o.beta1) * clip), c2 = static_cast<scalar>((1 - o.beta2) * clip * clip);
    const auto step_size = static_cast<scalar>(o.learning_rate / correction1);
    const auto root_scale = static_cast<scalar>(1 / std::sqrt(correction2));
    const auto epsilon = static_cast<scalar>(o.epsilon);
    workers.for_each(static_cast<index_t>(pieces_.size()), [&](index_t i, index_t) {
      const auto& piece = pieces_[static_cast<std::size_t>(i)];
      const index_t size = piece.end - piece.begin;
      array p(parameters.data() + piece.begin, size);
      array m(first_moment.data() + piece.begin, size);
      array v(second_moment.data() + piece.begin, size);
      array g(gradients.data() + piece.begin, size);
      if (piece.is_tied) g.setConstant(detail::sum_of(gradients.data() + piece.begin, size));
      if (piece.decay && o.weight_decay > 0) p *= static_cast<scalar>(1 - o.learning_rate * o.weight_decay);
      m = b1 * m + c1 * g;
      v = b2 * v + c2 * g.square();
      p -= step_size * m / (v.sqrt() * root_scale + epsilon);
      g.setZero();
    });
    return norm;
  }

 private:
  using scalar = std::remove_pointer_t<decltype(std::declval<Model&>().data())>;
  using array = Eigen::Map<Eigen::Array<scalar, Eigen::Dynamic, 1>>;

  std::vector<parameter_segment> pieces_;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
