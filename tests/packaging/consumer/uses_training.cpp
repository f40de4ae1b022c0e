// SPDX-License-Identifier: Apache-2.0
// A table of a data set, through zlib of the component io that training brings.
#include <inhibitor/data/table_file.hpp>
#include <inhibitor/data/tsv.hpp>

int main() {
  const inhibitor::text_table table = inhibitor::read_tsv("two lines", "sentence\tlabel\nfar\t1\n");
  try {
    inhibitor::read_table("no such file.csv.gz");
  } catch (const inhibitor::file_error&) {
    return table.rows() == 2 ? 0 : 1;
  }
  return 1;
}
