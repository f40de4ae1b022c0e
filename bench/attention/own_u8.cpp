// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "attention/contender.hpp"
#include "inhibitor/attention/u8/packed_key_values.hpp"
#include "inhibitor/kernels/dispatch/dispatch.hpp"

// The library's byte attention in every instruction set that was compiled in and that this machine has.

namespace inhibitor {
namespace bench {
namespace {

/// Tag for the attention level: the table that the contender now running has chosen.
struct chosen_here {};
const kernels::u8_table* chosen_table = nullptr;

}  // namespace
}  // namespace bench

inline namespace INHIBITOR_TARGET {
namespace kernels {
template <>
const u8_table& u8_kernels<bench::chosen_here>() {
  return *bench::chosen_table;
}
}  // namespace kernels
}  // namespace INHIBITOR_TARGET

namespace bench {
namespace {

class own_u8 : public contender {
 public:
  own_u8(const inputs& in, const kernels::u8_table& table, bool skip) : in_(in), table_(table) {
    mechanism_.options.skip_inhibited = skip;
    mechanism_.scalars = {in.score_scale.data(), in.shift.data(), in.output_scale.data()};
    const problem& p = in.what;
    out_.resize(p.query_size());
    if (!p.prepared) return;
    chosen_table = &table_;
    std::vector<float> ranges(static_cast<std::size_t>(p.heads));
    for (index_t i = 0; i < p.query_size(); ++i) {
      float& range = ranges[static_cast<std::size_t>(i / (p.queries * p.head_size) % p.heads)];
      range = std::max(range, std::fabs(in.q[i]));
    }
    packed_.pack<chosen_here>(view_of(in.k.data(), p, p.keys), view_of(in.v.data(), p, p.keys), p.shape(), in.mask(),
                              mechanism_.options, ranges.data(), p.workers());
  }
  void run() override {
    chosen_table = &table_;
    const problem& p = in_.what;
    const auto out = view_of(out_.data(), p, p.queries);
    const auto q = view_of(in_.q.data(), p, p.queries);
    if (p.prepared) {
      u8::packed_attention_forward<chosen_here>(out, q, packed_, p.shape(), in_.mask(), mechanism_, workspace_,
                                                p.workers());
    } else {
      u8::multi_head_attention_forward<chosen_here>(out, q, view_of(in_.k.data(), p, p.keys),
                                                    view_of(in_.v.data(), p, p.keys), p.shape(), in_.mask(), mechanism_,
                                                    workspace_, p.workers());
    }
  }
  std::vector<double> result() const override { return {out_.begin(), out_.end()}; }
  index_t workspace_bytes() const override { return workspace_.size() + packed_.size(); }

 private:
  const inputs& in_;
  const kernels::u8_table& table_;
  inhibitor_attention<float> mechanism_;
  aligned_buffer<float> out_;
  u8::packed_key_values packed_;
  attention_workspace workspace_;
};

}  // namespace

void add_own_u8(contender_list& list) {
  for (const kernels::isa_variant& variant : kernels::compiled_variants) {
    if (!variant.supported()) continue;
    const kernels::u8_table& table = variant.tables->u8;
    for (const bool skip : {false, true}) {
      list.entries.push_back({skip ? "inhibitor_skip" : "inhibitor", "u8", variant.tables->isa, false, exactness::bytes,
                              [](const problem& p) { return !p.backward; },
                              [&table, skip](const inputs& in) { return std::make_unique<own_u8>(in, table, skip); }});
    }
  }
}

}  // namespace bench
}  // namespace inhibitor
