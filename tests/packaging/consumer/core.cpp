// SPDX-License-Identifier: Apache-2.0
#include <inhibitor/inhibitor.hpp>

int main() {
  inhibitor::index_t sum = 0;
  inhibitor::executor().for_each(3, [&](inhibitor::index_t item, inhibitor::index_t) { sum += item; });
  return sum == 3 ? 0 : 1;
}
