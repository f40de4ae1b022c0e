// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "support/aligned_table.hpp"
#include "support/printable.hpp"
#include "inspect/forward_order.hpp"
#include "inspect/statistics.hpp"

// `inspect tensors`: what is stored in a safetensors file or a model folder.

namespace inhibitor::examples {

namespace detail {

/// Four digits, short: 0.02, -1.234e-05, 30522.
inline std::string number_text(double value) { return fmt::format("{:.4g}", value); }

inline std::vector<std::string> statistics_cells(const safetensors_file& file, const tensor_info& info) {
  if (!has_statistics(info.type)) return std::vector<std::string>(6, "?");
  const tensor_statistics s = statistics_of(file, info);
  if (s.count() == 0) return std::vector<std::string>(6, "");
  const auto extreme = [&](double x) { return is_floating(info.type) ? number_text(x) : fmt::format("{:.0f}", x); };
  return {extreme(s.min()),
          extreme(s.max()),
          number_text(s.mean()),
          number_text(s.standard_deviation()),
          fmt::format("{:.1f} %", 100 * s.zero_share()),
          std::to_string(s.non_finite())};
}

}  // namespace detail

/// One line per tensor, in forward order, and a line of totals. `path` is a safetensors file or a folder with
/// model.safetensors or its index. Throws file_error.
inline std::string describe_tensors(const std::string& path) {
  const safetensors_set set =
      std::filesystem::is_directory(path) ? safetensors_set::open_folder(path) : safetensors_set::open_file(path);
  std::vector<safetensors_set::entry> entries = set.entries();
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return forward_position(a.info->name) < forward_position(b.info->name);
  });
  aligned_table table({{"tensor"},
                       {"type"},
                       {"shape"},
                       {"min", true},
                       {"max", true},
                       {"mean", true},
                       {"std dev", true},
                       {"zeros", true},
                       {"not finite", true}});
  std::uint64_t elements = 0, bytes = 0;
  bool has_unread = false;
  for (const safetensors_set::entry& entry : entries) {
    const tensor_info& info = *entry.info;
    std::vector<std::string> row{printable(info.name), std::string(dtype_name(info.type)),
                                 fmt::format("[{}]", fmt::join(info.shape, ", "))};
    for (std::string& cell : detail::statistics_cells(set.file(entry), info)) row.push_back(std::move(cell));
    table.add(std::move(row));
    elements += info.elements();
    bytes += info.end - info.begin;
    has_unread = has_unread || !has_statistics(info.type);
  }
  std::string out = table.plain();
  out += fmt::format("\n{} tensors, {} numbers, {} bytes\n", entries.size(), elements, bytes);
  if (has_unread) out += "?: the numbers of this type are not read\n";
  return out;
}

}  // namespace inhibitor::examples
