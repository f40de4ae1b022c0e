// SPDX-License-Identifier: Apache-2.0
#include <inhibitor/inhibitor.hpp>
#include <iostream>

int main() {
  using matrix = inhibitor::row_matrix<float>;
  const matrix q = matrix::Random(3, 16), k = matrix::Random(5, 16), v = matrix::Random(5, 4);  // (L, D) (S, D) (S, Dv)
  const inhibitor::attention_parameters<float> parameters;       // γ = 1, δ = 0.5, η = 1
  const matrix out = inhibitor::attention(q, k, v, parameters);  // (L, Dv)
  std::cout << out << '\n';
}
