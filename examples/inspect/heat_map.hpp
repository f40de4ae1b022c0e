// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "support/printable.hpp"
#include "inhibitor/base/config.hpp"

// Heat maps as one HTML page with inline SVG: no script, no font, nothing fetched.

namespace inhibitor::examples {

/// Text fit for HTML content and quoted attributes.
inline std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

/// One square of numbers in [0, 1].
struct heat_map {
  std::string title;
  std::vector<double> values;  ///< (L, L), row: query, column: key
  double full_scale = 1;       ///< the value drawn in full color
};

/// Maps under one heading.
struct heat_map_group {
  std::string title;
  std::string explanation;
  bool is_inhibition = false;  ///< picks the color
  std::vector<heat_map> maps;
};

namespace detail {

constexpr int cell_pixels = 14;
constexpr int character_pixels = 7;
constexpr int color_levels = 32;

/// The cells of a map as one path per level of color. Neighbors of a row with the same level are one rectangle, cells
/// too pale for the first level are left out: a page of a hundred maps stays a few megabytes.
inline std::string heat_map_cells(const heat_map& map, index_t length) {
  std::array<std::string, color_levels + 1> paths;
  const auto level_of = [&](index_t i, index_t j) {
    const double value = map.full_scale > 0 ? map.values[static_cast<std::size_t>(i * length + j)] / map.full_scale : 0;
    return static_cast<int>(std::clamp(value, 0.0, 1.0) * color_levels + 0.5);
  };
  for (index_t i = 0; i < length; ++i) {
    for (index_t j = 0; j < length;) {
      const int level = level_of(i, j);
      index_t end = j + 1;
      while (end < length && level_of(i, end) == level) ++end;
      if (level > 0) paths[static_cast<std::size_t>(level)] += fmt::format("M{} {}h{}v1h-{}z", j, i, end - j, end - j);
      j = end;
    }
  }
  std::string out;
  for (int level = 1; level <= color_levels; ++level) {
    const std::string& path = paths[static_cast<std::size_t>(level)];
    if (path.empty()) continue;
    out += fmt::format("<path fill-opacity=\"{:.3f}\" d=\"{}\"/>\n", static_cast<double>(level) / color_levels, path);
  }
  return out;
}

/// One invisible strip per query whose tooltip names the keys it takes most from.
inline std::string heat_map_rows(const heat_map& map, const std::vector<std::string>& tokens) {
  const auto length = static_cast<index_t>(tokens.size());
  std::string out;
  std::vector<index_t> keys(tokens.size());
  for (index_t i = 0; i < length; ++i) {
    const double* row = map.values.data() + i * length;
    std::iota(keys.begin(), keys.end(), index_t{0});
    const auto shown = std::min<index_t>(length, 5);
    std::partial_sort(keys.begin(), keys.begin() + shown, keys.end(),
                      [&](index_t a, index_t b) { return row[a] != row[b] ? row[a] > row[b] : a < b; });
    std::string most;
    for (index_t n = 0; n < shown; ++n) {
      const index_t j = keys[static_cast<std::size_t>(n)];
      most +=
          fmt::format("{} {} {:.3f}", n == 0 ? ":" : ",", html_escaped(tokens[static_cast<std::size_t>(j)]), row[j]);
    }
    out += fmt::format("<rect class=\"row\" y=\"{}\" width=\"{}\" height=\"1\"><title>{}{}</title></rect>\n", i, length,
                       html_escaped(tokens[static_cast<std::size_t>(i)]), most);
  }
  return out;
}

inline std::string heat_map_svg(const heat_map& map, const std::vector<std::string>& tokens) {
  const auto length = static_cast<index_t>(tokens.size());
  std::size_t longest = 1;
  for (const std::string& token : tokens) longest = std::max(longest, token.size());
  const auto margin = static_cast<index_t>(longest) * character_pixels + 8;
  const index_t side = margin + length * cell_pixels + 2;
  std::string out = fmt::format(
      "<figure><figcaption>{}</figcaption>\n<svg viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" role=\"img\" "
      "aria-label=\"{}\">\n",
      html_escaped(map.title), side, side, side, side, html_escaped(map.title));
  for (index_t i = 0; i < length; ++i) {
    const std::string token = html_escaped(tokens[static_cast<std::size_t>(i)]);
    const index_t middle = margin + i * cell_pixels + cell_pixels - 3;
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", margin - 4, middle, token);
    out += fmt::format("<text transform=\"translate({} {}) rotate(-90)\">{}</text>\n", middle, margin - 4, token);
  }
  out += fmt::format("<g transform=\"translate({} {}) scale({})\">\n", margin, margin, cell_pixels);
  out += heat_map_cells(map, length) + heat_map_rows(map, tokens);
  out += fmt::format("<rect class=\"frame\" width=\"{}\" height=\"{}\"/>\n</g>\n</svg></figure>\n", length, length);
  return out;
}

}  // namespace detail

/// The page: `title` above, then the groups in order. `tokens` label both axes of every map; every map must have
/// tokens.size() squared values.
inline std::string heat_map_page(const std::string& title, const std::vector<std::string>& tokens,
                                 const std::vector<heat_map_group>& groups) {
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{0}</title>\n<style>\n"
      "body {{ font: 15px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff }}\n"
      "figure {{ display: inline-block; margin: 0 1.5em 1.5em 0; vertical-align: top }}\n"
      "figcaption {{ font-size: 13px }}\n"
      "svg {{ max-width: 95vw; height: auto }}\n"
      "svg text {{ font: 11px/1 monospace; fill: #222 }}\n"
      ".weights path {{ fill: #08306b }}\n"
      ".inhibition path {{ fill: #7f2704 }}\n"
      ".row {{ fill: transparent }}\n"
      ".row:hover {{ stroke: #000; stroke-width: 0.08 }}\n"
      ".frame {{ fill: none; stroke: #999; stroke-width: 0.05 }}\n"
      "</style>\n</head>\n<body>\n<h1>{0}</h1>\n"
      "<p>Rows are queries, columns are keys; darker is more. Point at a row for the keys it takes most from.</p>\n",
      html_escaped(title));
  for (const heat_map_group& group : groups) {
    out +=
        fmt::format("<section class=\"{}\">\n<h2>{}</h2>\n<p>{}</p>\n", group.is_inhibition ? "inhibition" : "weights",
                    html_escaped(group.title), html_escaped(group.explanation));
    for (const heat_map& map : group.maps) out += detail::heat_map_svg(map, tokens);
    out += "</section>\n";
  }
  return out + "</body>\n</html>\n";
}

}  // namespace inhibitor::examples
