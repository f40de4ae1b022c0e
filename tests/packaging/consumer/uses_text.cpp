// SPDX-License-Identifier: Apache-2.0
#include <inhibitor/text/wordpiece.hpp>

int main() {
  const inhibitor::wordpiece words({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "far"});
  return words.size() == 6 ? 0 : 1;
}
