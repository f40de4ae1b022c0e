// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <vector>

#include "inhibitor/attention/raw.hpp"
#include "support/options_case.hpp"

namespace {

using namespace inhibitor;

void require(bool condition) {
  if (!condition) std::abort();
}

/// The fuzzer's bytes one by one, zeros when they run out.
class byte_reader {
 public:
  byte_reader(const std::uint8_t* bytes, std::size_t size) : bytes_(bytes), left_(size) {}
  index_t next() {
    if (left_ == 0) return 0;
    --left_;
    return *bytes_++;
  }
  index_t below(index_t n) { return next() % n; }
  bool flag() { return (next() & 1) != 0; }

 private:
  const std::uint8_t* bytes_;
  std::size_t left_;
};

/// Sequence starts as the bytes have them: mostly in order, sometimes not.
template <class Starts>
void read_starts(byte_reader& bytes, Starts& starts, index_t batch, index_t longest) {
  starts.assign(1, 0);
  for (index_t b = 0; b < batch; ++b) {
    const index_t step = bytes.below(longest + 2) - (bytes.below(16) == 15 ? 2 : 0);
    starts.push_back(static_cast<typename Starts::value_type>(starts.back() + step));
  }
}

template <class Starts>
bool in_order(const Starts& starts, index_t longest) {
  for (std::size_t b = 1; b < starts.size(); ++b) {
    if (starts[b] < starts[b - 1] || starts[b] - starts[b - 1] > longest) return false;
  }
  return true;
}

/// A copy of (rows, heads, width) in which rows and heads lie further apart, with numbers between them that would show.
struct strided {
  std::vector<double> numbers;
  index_t batch_stride = 0, row_stride = 0, head_stride = 0;

  strided(const std::vector<double>& x, index_t batch, index_t rows, index_t heads, index_t width, index_t gap,
          bool heads_first, bool packed) {
    const index_t pitch = width + gap;
    const bool outer_heads = heads_first && !packed;
    row_stride = outer_heads ? pitch : heads * pitch;
    head_stride = outer_heads ? rows * pitch : pitch;
    batch_stride = rows * heads * pitch;
    const index_t all = heads * width == 0 ? 0 : static_cast<index_t>(x.size() - 1) / (heads * width);
    numbers.assign(static_cast<std::size_t>(all * heads * pitch + batch * batch_stride + 1),
                   std::numeric_limits<double>::quiet_NaN());
    for (index_t row = 0; row < all; ++row) {
      for (index_t h = 0; h < heads; ++h) {
        for (index_t c = 0; c < width; ++c) {
          numbers[static_cast<std::size_t>(place(row, rows, packed) + h * head_stride + c)] =
              x[static_cast<std::size_t>((row * heads + h) * width + c)];
        }
      }
    }
  }
  index_t place(index_t row, index_t rows, bool packed) const {
    return packed ? row * row_stride : row / rows * batch_stride + row % rows * row_stride;
  }
  heads_view<double> view() { return {numbers.data(), batch_stride, row_stride, head_stride}; }
};

bool close(const std::vector<double>& a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (!(std::fabs(a[i] - b[i]) <= 1e-9)) return false;
  }
  return true;
}

}  // namespace

// Bytes: extents, options, starts, masks, a seed for the numbers, strides. Shapes that make sense are computed forward
// and backward and compared with the reference, in the caller's own strides as well; the others must be refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  byte_reader bytes(data, size);
  test::options_case<double> c;
  c.shape.batch = bytes.below(4);
  c.shape.kv_heads = bytes.below(4);
  c.shape.heads = (c.shape.kv_heads + (bytes.below(32) == 31 ? 1 : 0)) * bytes.below(4);
  c.shape.queries = bytes.below(24);
  c.shape.keys = bytes.below(48);
  c.shape.head_size = bytes.below(24);
  c.shape.value_size = bytes.below(24);
  if (bytes.flag()) c.shape.rows = {bytes.below(24) - 2, bytes.below(30) - 2};
  c.options.center = static_cast<centering>(bytes.below(3));
  c.options.is_signed = bytes.flag();
  c.options.normalize_by_length = bytes.flag();
  c.options.skip_inhibited = bytes.flag();
  c.dot_product = bytes.flag();
  c.causal = bytes.flag();
  c.shared_mask = bytes.flag();
  const bool with_key_mask = bytes.flag(), with_mask = bytes.flag();
  if (bytes.flag()) read_starts(bytes, c.query_starts, c.shape.batch, c.shape.queries);
  if (bytes.flag()) read_starts(bytes, c.key_starts, c.shape.batch, c.shape.keys);

  const attention_shape shape = c.shape_of_call();
  const bool sound = c.shape.head_size > 0 && (c.shape.kv_heads == 0 || c.shape.heads % c.shape.kv_heads == 0) &&
                     in_order(c.query_starts, c.shape.queries) && in_order(c.key_starts, c.shape.keys);
  const index_t bytes_needed = attention_workspace_size<double>(shape, 1, attention_pass::backward);
  require((bytes_needed > 0) == sound);
  if (!sound) {
    const auto status = try_multi_head_attention_forward<double>({}, {}, {}, {}, shape, {},
                                                                 dot_product_attention<double>{}, nullptr, 0, {});
    require(status != attention_status::ok);
    return 0;
  }
  if (c.shape.kv_heads == 0) c.shape.heads = bytes.below(3);

  // Masks from the bytes where there are enough, so that a fuzzer can shape them; numbers from a seed.
  test::random_numbers random(static_cast<std::uint64_t>(bytes.next() + 256 * bytes.next()));
  const index_t gap = bytes.below(5);
  const bool heads_first = bytes.flag();
  c.fill(random, with_key_mask, with_mask, false, false);
  for (auto* mask : {&c.key_mask, &c.attend}) {
    for (std::uint8_t& m : *mask) m = static_cast<std::uint8_t>(m ^ (bytes.below(4) == 3 ? m | 1 : 0));
  }

  const auto expected = c.expected();
  const auto actual = c.run();
  require(close(actual.out, expected.out) && close(actual.dq, expected.dq) && close(actual.dk, expected.dk) &&
          close(actual.dv, expected.dv) && close(actual.dscalars, expected.dscalars));

  // The same numbers in other strides, in memory of exactly the size asked for.
  const index_t B = c.shape.batch, H = c.shape.heads, K = c.shape.key_heads(), L = c.shape.queries, S = c.shape.keys;
  const index_t D = c.shape.head_size, Dv = c.shape.value_size;
  const bool packed_q = !c.query_starts.empty(), packed_k = !c.key_starts.empty();
  const std::vector<double> blank(actual.out.size(), decltype(c)::untouched);
  strided q(c.q, B, L, H, D, gap, heads_first, packed_q), k(c.k, B, S, K, D, gap, !heads_first, packed_k);
  strided v(c.v, B, S, K, Dv, gap, heads_first, packed_k), out(blank, B, L, H, Dv, gap, !heads_first, packed_q);
  const attention_shape again = c.shape_of_call();
  std::vector<unsigned char> memory(static_cast<std::size_t>(attention_workspace_size<double>(again, 1)));
  const auto bytes_given = static_cast<index_t>(memory.size());
  const attention_status status =
      c.dot_product
          ? try_multi_head_attention_forward<double>(out.view(), q.view(), k.view(), v.view(), again, c.mask(),
                                                     dot_product_attention<double>{}, memory.data(), bytes_given, {})
          : try_multi_head_attention_forward<double>(out.view(), q.view(), k.view(), v.view(), again, c.mask(),
                                                     c.inhibitor(), memory.data(), bytes_given, {});
  require(status == attention_status::ok);
  const strided wanted(actual.out, B, L, H, Dv, gap, !heads_first, packed_q);
  for (std::size_t i = 0; i < wanted.numbers.size(); ++i) {
    const double x = wanted.numbers[i], y = out.numbers[i];
    require(x == y || (std::isnan(x) && std::isnan(y)));
  }
  return 0;
}
