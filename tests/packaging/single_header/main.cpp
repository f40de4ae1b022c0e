// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdio>

#include "inhibitor/reference/attention.hpp"
#include "parts.hpp"

int main() {
  std::vector<float> q, k, v;
  for (int i = 0; i < 4 * parts::width; ++i) q.push_back(std::sin(1.7F * static_cast<float>(i)));
  for (int i = 0; i < 7 * parts::width; ++i) {
    k.push_back(std::sin(2.3F * static_cast<float>(i)));
    v.push_back(2 * std::cos(1.1F * static_cast<float>(i)));
  }
  const std::vector<float> single = inhibitor::by_single_header(q, k, v), library = inhibitor::by_library(q, k, v);
  inhibitor::reference::attention_problem problem;
  problem.queries = 4;
  problem.keys = 7;
  problem.head_size = problem.value_size = parts::width;
  std::vector<float> expected(q.size());
  inhibitor::reference::attention_forward(expected.data(), q.data(), k.data(), v.data(), {1.0F, 0.5F, 1.0F}, problem);
  bool near = single.size() == expected.size();
  for (std::size_t i = 0; near && i < expected.size(); ++i) near = std::fabs(single[i] - expected[i]) < 1e-5F;
  std::printf("single header: %s, %s\n", near ? "the formula" : "not the formula",
              single == library ? "the bits of the library" : "other bits than the library");
  return near && single == library ? 0 : 1;
}
