// SPDX-License-Identifier: Apache-2.0
#include "attention/problem.hpp"

#include <algorithm>
#include <cmath>

namespace inhibitor {
namespace bench {
namespace {

/// Normal deviates that every standard library draws alike: splitmix64 and Box-Muller.
class normal_numbers {
 public:
  explicit normal_numbers(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  double uniform() { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1.0p-53; }
  void fill(aligned_buffer<float>& x, index_t n) {
    x.resize(n);
    for (index_t i = 0; i < n; i += 2) {
      const double radius = std::sqrt(-2 * std::log(uniform())), angle = 2 * 3.14159265358979323846 * uniform();
      x[i] = static_cast<float>(radius * std::cos(angle));
      if (i + 1 < n) x[i + 1] = static_cast<float>(radius * std::sin(angle));
    }
  }

 private:
  std::uint64_t state_;
};

/// Moves the keys that are to be inhibited 4 away from the others in every feature.
void push_keys_away(inputs& in, normal_numbers& random) {
  const problem& p = in.what;
  std::vector<std::uint8_t> far(static_cast<std::size_t>(p.keys));
  const index_t run = p.scattered ? 1 : 64;
  const index_t wanted = p.keys * p.inhibited / 100;
  std::vector<index_t> runs;
  for (index_t j = 0; j < p.keys; j += run) runs.push_back(j);
  for (std::size_t i = runs.size(); i > 1; --i) std::swap(runs[i - 1], runs[random.bits() % i]);
  index_t count = 0;
  for (const index_t start : runs) {
    for (index_t j = start; j < std::min(p.keys, start + run) && count < wanted; ++j, ++count) {
      far[static_cast<std::size_t>(j)] = 1;
    }
  }
  for (index_t row = 0; row < p.batch * p.heads * p.keys; ++row) {
    if (far[static_cast<std::size_t>(row % p.keys)] == 0) continue;
    for (index_t x = 0; x < p.head_size; ++x) {
      in.k[row * p.head_size + x] += (random.bits() & 1U) != 0 ? 4.0F : -4.0F;
    }
  }
}

/// Chooses the shift, the same for all heads, from a sample of the first head, and notes the shares it leads to.
void choose_shift(inputs& in) {
  const problem& p = in.what;
  struct pair_of_sample {
    double score;  // centered
    index_t key;
  };
  std::vector<pair_of_sample> sample;
  const index_t rows = std::min<index_t>(p.queries, 24);
  const double scale = static_cast<double>(in.score_scale[0]) / std::sqrt(static_cast<double>(p.head_size));
  for (index_t r = 0; r < rows; ++r) {
    const index_t i = (r + 1) * p.queries / rows - 1;
    const std::size_t first = sample.size();
    double mean = 0;
    for (index_t j = 0; j < in.limit(i); ++j) {
      if (!in.key_mask.empty() && in.key_mask[static_cast<std::size_t>(j)] == 0) continue;
      double distance = 0;
      for (index_t x = 0; x < p.head_size; ++x) {
        distance += std::fabs(static_cast<double>(in.q[i * p.head_size + x] - in.k[j * p.head_size + x]));
      }
      sample.push_back({scale * distance, j});
      mean += scale * distance;
    }
    mean /= static_cast<double>(std::max<std::size_t>(sample.size() - first, 1));
    for (std::size_t s = first; s < sample.size(); ++s) sample[s].score -= mean;
  }
  // Of a large sample every n-th pair will do.
  const std::size_t step = sample.size() / 4096 + 1;
  const auto shares = [&](double shift, double& inhibited) {
    std::size_t alive = 0, values = 0, dead = 0, pairs = 0;
    for (std::size_t s = 0; s < sample.size(); s += step, ++pairs) {
      const double z = std::max(sample[s].score + shift, 0.0);
      std::size_t living = 0;
      for (index_t x = 0; x < p.head_size; ++x) {
        living += std::fabs(static_cast<double>(in.v[sample[s].key * p.head_size + x])) > z ? 1 : 0;
      }
      alive += living;
      values += static_cast<std::size_t>(p.head_size);
      dead += living == 0 ? 1 : 0;
    }
    inhibited = static_cast<double>(dead) / static_cast<double>(std::max<std::size_t>(pairs, 1));
    return static_cast<double>(alive) / static_cast<double>(std::max<std::size_t>(values, 1));
  };
  const double wanted = 0.01 * p.alive * (1 - 0.01 * p.inhibited);
  double low = -100, high = 100;
  for (int step_of_search = 0; step_of_search < 40; ++step_of_search) {
    const double middle = 0.5 * (low + high);
    double ignored = 0;
    (shares(middle, ignored) > wanted ? low : high) = middle;
  }
  std::fill(in.shift.begin(), in.shift.end(), static_cast<float>(low));
  in.alive_share = shares(static_cast<double>(in.shift[0]), in.inhibited_share);
}

}  // namespace

std::string problem::name() const {
  std::string s = "B:" + std::to_string(batch) + "/H:" + std::to_string(heads) + "/L:" + std::to_string(queries) +
                  "/S:" + std::to_string(keys) + "/D:" + std::to_string(head_size);
  if (mask == masking::padding) s += "/mask:padding";
  if (mask == masking::causal) s += "/mask:causal";
  if (alive != 50) s += "/alive:" + std::to_string(alive);
  if (inhibited != 0) s += "/inhibited:" + std::to_string(inhibited);
  if (scattered) s += "/scattered:1";
  if (prepared) s += "/prepared:1";
  return s + "/threads:" + std::to_string(threads);
}

executor problem::workers() const {
#if defined(_OPENMP)
  if (threads > 1) return openmp_executor(threads);
#endif
  return executor();
}

inputs draw_inputs(const problem& p) {
  inputs in;
  in.what = p;
  normal_numbers random(20260 + static_cast<std::uint64_t>(p.queries + 7 * p.keys));
  random.fill(in.q, p.query_size());
  random.fill(in.k, p.key_size());
  random.fill(in.v, p.key_size());
  random.fill(in.dout, p.query_size());
  if (p.inhibited > 0) push_keys_away(in, random);
  if (p.mask == masking::padding) {  // the last quarter of the keys
    in.key_mask.assign(static_cast<std::size_t>(p.batch * p.keys), 1);
    for (index_t b = 0; b < p.batch; ++b) {
      const auto end = in.key_mask.begin() + (b + 1) * p.keys;
      std::fill(end - p.keys / 4, end, std::uint8_t{0});
    }
  }
  const auto heads = static_cast<std::size_t>(p.heads);
  in.score_scale.assign(heads, 1.0F);
  in.output_scale.assign(heads, 1.0F);
  in.shift.assign(heads, 0.0F);
  choose_shift(in);
  return in;
}

}  // namespace bench
}  // namespace inhibitor
