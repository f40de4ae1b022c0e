// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "inhibitor/text/unicode.hpp"

// Unicode normalization that remembers where every code point came from.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace tokenizing {

/// A code point with the bytes [begin, end) of the source text it stems from.
struct source_point {
  std::uint32_t code_point;
  index_t begin;
  index_t end;
};

/// Sorts every run of combining marks by combining class, keeping the order of equals: the canonical order.
inline void order_marks(std::vector<source_point>& points) {
  const auto combining = [](const source_point& p) { return unicode::combining_class(p.code_point); };
  const auto is_mark = [&](const source_point& p) { return combining(p) != 0; };
  for (auto first = points.begin(); first != points.end();) {
    first = std::find_if(first, points.end(), is_mark);
    const auto last = std::find_if_not(first, points.end(), is_mark);
    std::stable_sort(first, last,
                     [&](const source_point& a, const source_point& b) { return combining(a) < combining(b); });
    first = last;
  }
}

/// Appends the full canonical decomposition (NFD, before ordering) of `point` to `out`.
inline void append_decomposed(std::vector<source_point>& out, const source_point& point) {
  std::array<utf8proc_int32_t, 16> parts{};
  int boundary_state = 0;
  const auto count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(point.code_point), parts.data(),
                              static_cast<utf8proc_ssize_t>(parts.size()), UTF8PROC_DECOMPOSE, &boundary_state);
  if (count < 1 || count > static_cast<utf8proc_ssize_t>(parts.size())) {  // no canonical form is this long
    out.push_back(point);
    return;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    out.push_back({static_cast<std::uint32_t>(parts[i]), point.begin, point.end});
  }
}

/// Whether `code_point` may combine with the one before it under NFC: marks, and the inner letters of Hangul syllables.
inline bool may_combine_backwards(std::uint32_t code_point) {
  if (code_point < 0x300) return false;
  if (unicode::combining_class(code_point) != 0) return true;
  if ((code_point >= 0x1161 && code_point <= 0x1175) || (code_point >= 0x11A8 && code_point <= 0x11C2)) return true;
  const utf8proc_category_t c = unicode::category(code_point);
  return c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_MC;
}

/// NFC of `points`, in place. A group of code points that NFC changes stems, each of its results, from the whole group.
inline void compose(std::vector<source_point>& points) {
  std::vector<source_point> composed;
  std::vector<source_point> decomposed;
  std::vector<utf8proc_int32_t> buffer;
  composed.reserve(points.size());
  for (std::size_t first = 0; first < points.size();) {
    std::size_t last = first + 1;
    while (last < points.size() && may_combine_backwards(points[last].code_point)) ++last;
    decomposed.clear();
    for (std::size_t i = first; i < last; ++i) append_decomposed(decomposed, points[i]);
    order_marks(decomposed);
    buffer.clear();
    for (const source_point& p : decomposed) buffer.push_back(static_cast<utf8proc_int32_t>(p.code_point));
    const auto count = utf8proc_normalize_utf32(buffer.data(), static_cast<utf8proc_ssize_t>(buffer.size()),
                                                static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    buffer.resize(static_cast<std::size_t>(count));
    const auto group = points.begin() + static_cast<index_t>(first);
    const bool unchanged =
        buffer.size() == last - first &&
        std::equal(buffer.begin(), buffer.end(), group, [](utf8proc_int32_t a, const source_point& b) {
          return static_cast<std::uint32_t>(a) == b.code_point;
        });
    for (std::size_t i = 0; i < buffer.size(); ++i) {
      composed.push_back(
          unchanged ? points[first + i]
                    : source_point{static_cast<std::uint32_t>(buffer[i]), points[first].begin, points[last - 1].end});
    }
    first = last;
  }
  points.swap(composed);
}

/// Which of the steps before the split are wanted.
struct normalize_options {
  tokenizer_rules rules;
  bool lower_case;
  bool strip_accents;
  bool split_cjk;
};

/// Steps 1 and 2, and NFC by the slow rules: decodes `text`, whose first byte is byte `base` of the source, drops bad
/// bytes and control characters, turns every blank into a space and sets ideographs apart. Replaces `out`.
inline void clean(std::string_view text, index_t base, const normalize_options& options,
                  std::vector<source_point>& out) {
  out.clear();
  for (index_t i = 0; i < static_cast<index_t>(text.size());) {
    const unicode::decoded_point point = unicode::decode(text, i);
    const std::uint32_t c = point.code_point;
    const source_point here{c, base + i, base + i + point.length};
    i += point.length;
    if (c == unicode::replacement_character || unicode::is_control(c, options.rules)) continue;
    if (unicode::is_whitespace(c)) {
      out.push_back({' ', here.begin, here.end});
    } else if (options.split_cjk && unicode::is_cjk(c, options.rules)) {
      out.push_back({' ', here.begin, here.begin});
      out.push_back(here);
      out.push_back({' ', here.end, here.end});
    } else {
      out.push_back(here);
    }
  }
  if (options.rules == tokenizer_rules::slow) compose(out);
}

/// Step 3 for one word: strips accents and lower-cases as asked. `scratch` is overwritten.
inline void fold(std::vector<source_point>& word, const normalize_options& options,
                 std::vector<source_point>& scratch) {
  if (options.strip_accents) {
    scratch.clear();
    for (const source_point& p : word) append_decomposed(scratch, p);
    order_marks(scratch);
    const auto marks = std::remove_if(scratch.begin(), scratch.end(), [&](const source_point& p) {
      return unicode::is_nonspacing_mark(p.code_point, options.rules);
    });
    scratch.erase(marks, scratch.end());
    word.swap(scratch);
  }
  if (options.lower_case) {
    scratch.clear();
    for (const source_point& p : word) {
      const unicode::lowered_point lower = unicode::to_lower(p.code_point);
      scratch.push_back({lower.first, p.begin, p.end});
      if (lower.second != 0) scratch.push_back({lower.second, p.begin, p.end});
    }
    word.swap(scratch);
  }
}

}  // namespace tokenizing
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
