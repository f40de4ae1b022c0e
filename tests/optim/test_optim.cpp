// SPDX-License-Identifier: Apache-2.0

// optim/: schedule and adamw.

#include <cmath>
#include <random>
#include <vector>

#include "inhibitor/models/bert/model.hpp"
#include "inhibitor/optim/adamw.hpp"
#include "inhibitor/optim/inverse_square_root.hpp"
#include "inhibitor/optim/schedule.hpp"
#include "inhibitor/optim/weight_average.hpp"
#include "support/catch.hpp"
#include "support/small_config.hpp"

using namespace inhibitor;
using Catch::Matchers::WithinAbs;
using inhibitor::test::small_config;
using numbers = std::vector<double>;

TEST_CASE("learning_rate_schedule: warm-up starts at 0, decay ends after the last step") {
  const learning_rate_schedule linear{schedule_kind::linear, 2, 10};
  CHECK(linear.factor(0) == 0);
  CHECK(linear.factor(1) == 0.5);
  CHECK(linear.factor(2) == 1);
  CHECK(linear.factor(6) == 0.5);
  CHECK(linear.factor(9) == 0.125);
  CHECK(linear.factor(10) == 0);
  const learning_rate_schedule cosine{schedule_kind::cosine, 0, 4};
  CHECK(cosine.factor(0) == 1);
  CHECK(std::abs(cosine.factor(2) - 0.5) < 1e-15);
  CHECK(cosine.factor(4) == 0);
  const learning_rate_schedule constant{schedule_kind::constant, 0, 1};
  CHECK(constant.factor(1000) == 1);
}

TEST_CASE("adamw: two steps of one value by hand") {
  // A model with one trainable number is a bias of a tiny configuration; everything else is frozen.
  encoder_tensors<double> p(small_config("inhibitor", "inhibitor")), g(small_config("inhibitor", "inhibitor"));
  const auto segments = trainable_segments(p, [](const std::string& name) { return name == "classifier.bias"; });
  adamw<encoder_tensors<double>> optimizer(p, segments);
  const linear_tensors<double>&p_head = p.head<sequence_classification_head>().classifier,
        &g_head = g.head<sequence_classification_head>().classifier;
  p_head.bias.data[0] = 1;
  g_head.bias.data[0] = 0.5;
  p_head.weight.data[0] = 3;
  g_head.weight.data[0] = 100;
  adamw_options o;
  o.learning_rate = 0.1;
  o.weight_decay = 0.5;
  const double norm = optimizer.update(p, g, o, 0, {});
  CHECK(norm == 0.5);
  // First step: both corrected moments equal g and g^2, so the step is lr * g / (|g| + eps). Biases are not decayed.
  CHECK(std::abs(p_head.bias.data[0] - (1 - 0.1 * 0.5 / (0.5 + 1e-8))) < 1e-14);
  CHECK(p_head.weight.data[0] == 3);
  CHECK(g_head.bias.data[0] == 0);
  CHECK(g_head.weight.data[0] == 100);
  const double before = p_head.bias.data[0];
  g_head.bias.data[0] = -0.25;
  optimizer.update(p, g, o, 0, {});
  const double m = (0.9 * 0.1 * 0.5 - 0.1 * 0.25) / (1 - 0.81);
  const double v = (0.999 * 0.001 * 0.25 + 0.001 * 0.0625) / (1 - 0.999 * 0.999);
  CHECK(std::abs(p_head.bias.data[0] - (before - 0.1 * m / (std::sqrt(v) + 1e-8))) < 1e-12);
}

TEST_CASE("adamw: tied scalars move as one number with one moment, by hand") {
  encoder_config config = small_config("inhibitor", "dot_product");
  config.tied_scalars = true;
  encoder_tensors<double> p(config), g(config);
  initialize(p, 5);
  const auto is_shift = [](const std::string& name) { return name.find("inhibitor_shift") != std::string::npos; };
  adamw<encoder_tensors<double>> optimizer(p, trainable_segments(p, is_shift));
  const tensor<double>& shift = p.layer[0].attention.as<inhibitor_mixer>()->inhibitor_shift;
  const tensor<double>& dshift = g.layer[0].attention.as<inhibitor_mixer>()->inhibitor_shift;
  adamw_options o;
  o.learning_rate = 0.1;
  o.epsilon = 0.5;  // so that the size of the gradient matters
  constexpr double max_norm = 1;
  double value = 0.5, m = 0, v = 0;
  const double gradients[][2] = {{0.5, -0.125}, {3, 1}, {-0.25, 0}, {1, -1}};
  int step = 0;
  for (const auto& of_heads : gradients) {
    dshift.data[0] = of_heads[0];
    dshift.data[1] = of_heads[1];
    double gradient = of_heads[0] + of_heads[1];
    const double norm = optimizer.update(p, g, o, max_norm, {});
    CHECK(std::abs(norm - std::abs(gradient)) < 1e-15);
    if (std::abs(gradient) > max_norm) gradient *= max_norm / (std::abs(gradient) + 1e-6);
    ++step;
    m = 0.9 * m + 0.1 * gradient;
    v = 0.999 * v + 0.001 * gradient * gradient;
    value -= 0.1 * (m / (1 - std::pow(0.9, step))) / (std::sqrt(v / (1 - std::pow(0.999, step))) + 0.5);
    for (index_t head = 0; head < 2; ++head) CHECK(std::abs(shift.data[head] - value) < 1e-12);
    CHECK(dshift.data[0] == 0);
  }
}

TEST_CASE("adamw: decays matrices alone, clips by the global norm, same bits for any number of workers") {
  encoder_tensors<double> start(small_config("inhibitor", "inhibitor"));
  initialize(start, 5);
  encoder_tensors<double> g = start;
  const auto segments = trainable_segments(start, [](const std::string&) { return true; });
  index_t covered = 0;
  for (const auto& s : segments) covered += s.end - s.begin;
  CHECK(covered == start.size());
  start.visit([&](const std::string& name, const tensor<const double>& t) {
    const index_t at = t.data - start.data();
    for (const auto& s : segments) {
      if (at < s.begin || at >= s.end) continue;
      const bool is_matrix = name.find("LayerNorm") == std::string::npos &&
                             name.find("layer_norm") == std::string::npos &&
                             name.find("inhibitor_") == std::string::npos && name.find("bias") == std::string::npos;
      CHECK(s.decay == is_matrix);
    }
  });
  const auto run = [&](double max_norm, double scale, const executor& workers) {
    encoder_tensors<double> p = start, scaled = g;
    for (index_t i = 0; i < scaled.size(); ++i) scaled.data()[i] *= scale;
    adamw<encoder_tensors<double>> optimizer(p, segments);
    adamw_options o;
    o.learning_rate = 1e-3;
    o.epsilon = 1;  // so that the size of the gradient matters
    optimizer.update(p, scaled, o, max_norm, workers);
    return p;
  };
  const auto clipped = run(1.0, 1000.0, {}), also_clipped = run(1.0, 2000.0, {}), unclipped = run(0, 1000.0, {});
  double difference = 0, effect = 0;
  for (index_t i = 0; i < start.size(); ++i) {
    difference = std::max(difference, std::abs(clipped.data()[i] - also_clipped.data()[i]));
    effect = std::max(effect, std::abs(clipped.data()[i] - unclipped.data()[i]));
  }
  CHECK(difference < 1e-9);
  CHECK(effect > 1e-4);
#if defined(_OPENMP)
  const auto threaded = run(1.0, 1000.0, openmp_executor(4));
  CHECK(std::equal(threaded.data(), threaded.data() + threaded.size(), clipped.data()));
#endif
}

TEST_CASE("weight_average: young averages move fast, later ones by 1 - decay") {
  encoder_tensors<double> model(small_config("inhibitor", "inhibitor"));
  weight_average<encoder_tensors<double>> average{0.5, model};
  std::fill_n(model.data(), model.size(), 8.0);
  average.update(model, 1, {});  // d = 2 / 11
  CHECK_THAT(average.average.data()[3], WithinAbs(8.0 * 9 / 11, 1e-14));
  average.average.fill_zero();
  average.update(model, 1000, {});  // d = 0.5
  CHECK(average.average.data()[0] == 4);
  CHECK(average.average.data()[model.size() - 1] == 4);
}

TEST_CASE("noam_rate: rises to the published peaks and falls with the inverse root") {
  CHECK(std::abs(noam_rate(4000, 128, 4000) - 1.3975e-3) < 1e-7);
  CHECK(std::abs(noam_rate(4000, 256, 4000) - 9.882e-4) < 1e-7);
  CHECK(std::abs(noam_rate(4000, 512, 4000) - 6.988e-4) < 1e-7);
  CHECK(std::abs(noam_rate(1, 512, 4000) - std::pow(512, -0.5) * std::pow(4000, -1.5)) < 1e-18);
  CHECK(std::abs(noam_rate(2000, 128, 4000) - noam_rate(4000, 128, 4000) / 2) < 1e-15);
  CHECK(std::abs(noam_rate(16000, 128, 4000) - noam_rate(4000, 128, 4000) / 2) < 1e-15);
  CHECK_THROWS_AS(noam_rate(0, 128, 4000), std::invalid_argument);
}

TEST_CASE("inverse_square_root_rate: a line to the peak, then its inverse root") {
  CHECK(inverse_square_root_rate(0, 5e-3, 2000, 1e-7) == 1e-7);
  CHECK(std::abs(inverse_square_root_rate(1000, 5e-3, 2000, 1e-7) - (5e-3 + 1e-7) / 2) < 1e-15);
  CHECK(inverse_square_root_rate(2000, 5e-3, 2000, 1e-7) == 5e-3);
  CHECK(std::abs(inverse_square_root_rate(8000, 5e-3, 2000, 1e-7) - 2.5e-3) < 1e-15);
  // Noam's shape, up to the count of the first update.
  const double peak = noam_rate(400, 64, 400);
  for (const index_t n : {1, 399, 400, 401, 5000}) {
    CHECK(std::abs(inverse_square_root_rate(n, peak, 400) - noam_rate(n, 64, 400)) < 1e-15);
  }
  CHECK_THROWS_AS(inverse_square_root_rate(1, 1, 0), std::invalid_argument);
}
