// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>

#include "attention/contender.hpp"
#include "inhibitor/measure/time.hpp"
#include "inhibitor/reference/attention.hpp"

namespace inhibitor {
namespace bench {
namespace {

std::vector<double> head_in_double(const aligned_buffer<float>& x, index_t head, index_t rows, index_t width) {
  return {x.data() + head * rows * width, x.data() + (head + 1) * rows * width};
}

reference::attention_scalars<double> scalars_of(const inputs& in, bool is_softmax, index_t head) {
  reference::attention_scalars<double> s;
  if (is_softmax) return s;
  const auto h = static_cast<std::size_t>(head % in.what.heads);
  s.score_scale = static_cast<double>(in.score_scale[h]);
  s.shift = static_cast<double>(in.shift[h]);
  s.output_scale = static_cast<double>(in.output_scale[h]);
  return s;
}

/// The problem of some query rows of a head; `attend` (rows, S) is filled in and must outlive it.
reference::attention_problem rows_problem(const inputs& in, bool is_softmax, index_t head,
                                          const std::vector<index_t>& rows, std::vector<std::uint8_t>& attend) {
  const problem& p = in.what;
  reference::attention_problem a;
  a.queries = static_cast<index_t>(rows.size());
  a.keys = p.keys;
  a.head_size = a.value_size = p.head_size;
  if (is_softmax) {
    a.score = reference::scoring::dot_product;
    a.aggregate = reference::aggregation::softmax;
  }
  attend.assign(rows.size() * static_cast<std::size_t>(p.keys), 0);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (index_t j = 0; j < in.limit(rows[r]); ++j) {
      const std::uint8_t key =
          in.key_mask.empty() ? std::uint8_t{1} : in.key_mask[static_cast<std::size_t>(head / p.heads * p.keys + j)];
      attend[r * static_cast<std::size_t>(p.keys) + static_cast<std::size_t>(j)] = key;
    }
  }
  a.attend = attend.data();
  return a;
}

double relative_error(const std::vector<double>& expected, const std::vector<double>& got) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += (got[i] - expected[i]) * (got[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  return size > 0 ? std::sqrt(difference / size) : std::sqrt(difference);
}

double forward_error(const inputs& in, bool is_softmax, const std::vector<double>& got) {
  const problem& p = in.what;
  std::vector<double> expected, found;
  for (const index_t head : {index_t{0}, p.batch * p.heads - 1}) {
    std::vector<index_t> rows;
    for (index_t r = 0; r < std::min<index_t>(p.queries, 12); ++r) {
      rows.push_back(r * (p.queries - 1) / std::max<index_t>(std::min<index_t>(p.queries, 12) - 1, 1));
    }
    std::vector<double> q;
    for (const index_t i : rows) {
      const float* row = in.q.data() + (head * p.queries + i) * p.head_size;
      q.insert(q.end(), row, row + p.head_size);
      const double* out = got.data() + (head * p.queries + i) * p.head_size;
      found.insert(found.end(), out, out + p.head_size);
    }
    std::vector<std::uint8_t> attend;
    const auto a = rows_problem(in, is_softmax, head, rows, attend);
    std::vector<double> out(q.size());
    reference::attention_forward<double>(out.data(), q.data(), head_in_double(in.k, head, p.keys, p.head_size).data(),
                                         head_in_double(in.v, head, p.keys, p.head_size).data(),
                                         scalars_of(in, is_softmax, head), a);
    expected.insert(expected.end(), out.begin(), out.end());
  }
  return relative_error(expected, found);
}

double backward_error(const inputs& in, bool is_softmax, const std::vector<double>& got) {
  const problem& p = in.what;
  static std::map<std::string, std::vector<double>> known;  // the reference takes a second at L = 2048
  std::vector<double>& expected = known[(is_softmax ? "softmax " : "inhibitor ") + p.name()];
  if (expected.empty()) {
    const index_t head = p.batch * p.heads - 1;
    std::vector<index_t> rows(static_cast<std::size_t>(p.queries));
    for (index_t i = 0; i < p.queries; ++i) rows[static_cast<std::size_t>(i)] = i;
    std::vector<std::uint8_t> attend;
    const auto a = rows_problem(in, is_softmax, head, rows, attend);
    expected.resize(static_cast<std::size_t>((p.queries + 2 * p.keys) * p.head_size));
    double* dq = expected.data();
    double* dk = dq + p.queries * p.head_size;
    reference::attention_scalars<double> dscalars;
    reference::attention_backward<double>(
        dq, dk, dk + p.keys * p.head_size, dscalars, head_in_double(in.dout, head, p.queries, p.head_size).data(),
        head_in_double(in.q, head, p.queries, p.head_size).data(),
        head_in_double(in.k, head, p.keys, p.head_size).data(), head_in_double(in.v, head, p.keys, p.head_size).data(),
        scalars_of(in, is_softmax, head), a);
  }
  return relative_error(expected, got);
}

}  // namespace

double error_against_reference(const inputs& in, bool is_softmax, const std::vector<double>& got) {
  return in.what.backward ? backward_error(in, is_softmax, got) : forward_error(in, is_softmax, got);
}

double shortest_seconds(const std::function<void()>& run) {
  run();
  double shortest = 1e300, total = 0;
  for (int i = 0; i < 20 && (i < 3 || total < 0.06); ++i) {
    const double start = seconds_now(1);
    run();
    const double one = seconds_now(1) - start;
    shortest = std::min(shortest, one);
    total += one;
  }
  return shortest;
}

}  // namespace bench
}  // namespace inhibitor
